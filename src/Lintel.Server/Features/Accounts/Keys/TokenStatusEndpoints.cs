using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.Keys;

/// <summary>What other services ask of tokens that people send them (RFC 7662, RFC 7009).</summary>
internal static class TokenStatusEndpoints
{
    private const string Form = "application/x-www-form-urlencoded";

    // Other services ask on their users' requests, which are many.
    private static readonly RateLimitPolicy Limit = new("token-status", 6000, TimeSpan.FromMinutes(1)) { CountsOwners = true };

    public static void MapTokenStatus(this IEndpointRouteBuilder routes)
    {
        var auth = routes.MapGroup("/auth").WithTags("Accounts").RequireCaller(Scopes.Tokens).RateLimited(Limit).MaxBody(RequestFields.MaxBodyBytes);
        auth.MapPost("introspect", IntrospectAsync).WithName("Introspect").WithSummary("Ask whether a token is good (RFC 7662)")
            .WithDescription(
                "For other services that get our tokens from their users, with an API key of the scope `tokens`, which administrators can make. Of a token that is expired, revoked, forged, or "
                + "of an account that is locked, the answer is `{\"active\":false}` and nothing more.")
            .Accepts<TokenForm>(Form).DescribeForm(typeof(TokenForm));
        auth.MapPost("revoke", RevokeAsync).WithName("Revoke").WithSummary("End the session of a token (RFC 7009)")
            .WithDescription("Access or refresh token: its session ends, and with it all of its tokens and open connections. A token that is not ours, or ended before, is answered with 200 too.")
            .Accepts<TokenForm>(Form).DescribeForm(typeof(TokenForm)).DescribeResponse(200, "The token is not good any more, or never was.");
    }

    private static async Task<Results<Ok<TokenStatusView>, ErrorResult>> IntrospectAsync(HttpContext context, TokenStatus tokens)
    {
        if (!context.Request.HasFormContentType)
        {
            return NoForm();
        }

        var fields = await RequestFields.ReadFormAsync(context);
        var token = fields.Required("token");
        return fields.Error is { } error ? error : TypedResults.Ok(await tokens.DescribeAsync(token, context.RequestAborted));
    }

    private static async Task<Results<Ok, ErrorResult>> RevokeAsync(
        HttpContext context, Caller caller, TokenStatus tokens, SessionTable sessions, ForwardedClient forwarded, AccountLog log)
    {
        if (!context.Request.HasFormContentType)
        {
            return NoForm();
        }

        var fields = await RequestFields.ReadFormAsync(context);
        var token = fields.Required("token");
        if (fields.Error is { } error)
        {
            return error;
        }

        // The signature comes before all else: a forged token ends nothing.
        if (await tokens.FindAsync(token) is { } claims
            && await sessions.EndAsync(claims, Actor.Of(context, caller, forwarded), CancellationToken.None) is { } accountId)
        {
            log.SignedOut(accountId, claims.SessionId);
        }

        return TypedResults.Ok();
    }

    private static ErrorResult NoForm() => ApiErrors.ForStatus(StatusCodes.Status415UnsupportedMediaType)!;
}
