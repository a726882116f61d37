using System.ComponentModel;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace Lintel.Features.Accounts.External;

/// <summary>Sign-in with other providers: a browser goes there and comes back with a code, with which the client that sent it fetches tokens, or links the provider to its account.</summary>
internal static class ExternalEndpoints
{
    private const string ProviderMeaning = "The provider's name, from `GET /auth/external`.";
    private static readonly ErrorResult NoProvider = ApiErrors.NotFound("This server knows no provider of this name; see GET /auth/external.");
    private static readonly ErrorResult BadCode = new(
        401, ErrorCodes.TokenInvalid, "The code is not valid: it is used, older than 30 seconds, or was asked for with another code_challenge. Begin the sign-in again.");

    public static void MapExternal(this IEndpointRouteBuilder routes)
    {
        var external = routes.MapGroup("/auth/external").WithTags("Accounts").RateLimited().MaxBody(RequestFields.MaxBodyBytes);
        external.MapGet("", ListProviders).WithName("ListProviders").WithSummary("List the providers that one can sign in with");
        external.MapGet("{provider}", BeginAsync).WithName("BeginExternal").WithSummary("Send a browser to a provider, to sign in there")
            .WithDescription(
                "Open it in the browser. When the person has signed in there, the browser is sent to `return_to` with a `code`, or with an `error` of RFC 6749; give the code to "
                + "`POST /auth/external/token`, or, signed in, to `POST /auth/external/{provider}/link`.")
            .DescribeQuery("return_to", "Where the browser comes back to: one of the setting `OAUTH_RETURN_URLS`.", isRequired: true)
            .DescribeQuery("code_challenge", "The SHA-256 of a random text that your client keeps, in base64url (RFC 7636).", isRequired: true)
            .DescribeQuery("code_challenge_method", "`S256`, where it is given.")
            .DescribeResponse(302, "To the provider.", ("Location", "The provider.")).ProducesErrors(404, 422, 503);
        external.MapGet("{provider}/callback", FinishAsync).WithName("FinishExternal").WithSummary("Where a provider sends the browser back to")
            .DescribeResponse(302, "To the `return_to` of the beginning.", ("Location", "With `code` or `error`.")).ProducesErrors(403, 404, 503);
        external.MapPost("token", ExchangeAsync).WithName("ExchangeExternalCode").WithSummary("Exchange the code of a sign-in elsewhere for a pair of tokens")
            .WithDescription(
                "Whoever is new gets an account, where registration is open and the provider vouches for their e-mail address. An account that is there already is linked only if both sides have "
                + "verified the address; else the answer is 409: sign in, and link the provider from inside.")
            .Accepts<ExternalCodeRequest>("application/json").ProducesErrors(401, 403, 409);

        external.MapGet("links", ListLinksAsync).WithName("ListExternalLinks").WithSummary("List the providers that your account is linked to").RequirePerson();
        external.MapPost("{provider}/link", LinkAsync).WithName("LinkExternal").WithSummary("Link a provider to your account")
            .WithDescription("With the code of a sign-in there. " + StepUp.Wanted)
            .Accepts<ExternalCodeRequest>("application/json").RequirePerson().ProducesErrors(404, 409).DescribeResponse(204, "It is linked.");
        external.MapDelete("{provider}/link", UnlinkAsync).WithName("UnlinkExternal").WithSummary("Unlink a provider from your account")
            .WithDescription("Not the last way to sign in: set a password first. " + StepUp.Wanted)
            .RequirePerson().ProducesErrors(404, 409).DescribeResponse(204, "It is not linked any more.");
    }

    private static Ok<ExternalProviderList> ListProviders(ExternalOptions options) =>
        TypedResults.Ok(new ExternalProviderList([.. options.Providers.Select(static provider => new ExternalProviderView(provider.Id, provider.Label))]));

    private static async Task<Results<EmptyHttpResult, ErrorResult>> BeginAsync(
        [Description(ProviderMeaning)] string provider, HttpContext context, ExternalOptions options, ExternalHandlers handlers)
    {
        if (options.Find(provider) is not { } found)
        {
            return NoProvider;
        }

        var query = context.Request.Query;
        var returnTo = query["return_to"].ToString();
        var challenge = query["code_challenge"].ToString();
        if (!options.ReturnUrls.Contains(returnTo, StringComparer.Ordinal))
        {
            return ApiErrors.Invalid("return_to", "Must be one of the addresses of the setting OAUTH_RETURN_URLS, letter for letter.");
        }

        if (challenge.Length != ExternalCodes.ChallengeLength || !challenge.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            || query["code_challenge_method"].ToString() is not ("" or "S256"))
        {
            return ApiErrors.Invalid("code_challenge", "Must be the SHA-256 of the code verifier in base64url, 43 characters (S256).");
        }

        var handler = await handlers.CreateAsync(found, context);
        var properties = new AuthenticationProperties { RedirectUri = returnTo };
        properties.Items[ExternalHandler.ReturnTo] = returnTo;
        properties.Items[ExternalHandler.Challenge] = challenge;
        await handler.ChallengeAsync(properties);
        return TypedResults.Empty;
    }

    private static async Task<Results<RedirectHttpResult, ErrorResult>> FinishAsync(
        [Description(ProviderMeaning)] string provider, HttpContext context, ExternalOptions options, ExternalHandlers handlers, ExternalCodes codes, AccountLog log)
    {
        if (options.Find(provider) is not { } found)
        {
            return NoProvider;
        }

        var handler = await handlers.CreateAsync(found, context);
        var outcome = await handler.FinishAsync();
        if (outcome.Properties is not { } properties || properties.Items[ExternalHandler.ReturnTo] is not { } returnTo || !options.ReturnUrls.Contains(returnTo, StringComparer.Ordinal))
        {
            log.ExternalRefused(provider, "it was not begun in this browser, or was finished");
            return ApiErrors.Forbidden("This sign-in was not begun in this browser, took longer than ten minutes, or was finished before. Begin it again.");
        }

        if (outcome.Identity is not { } identity)
        {
            log.ExternalRefused(provider, outcome.Reason ?? "");
            return TypedResults.Redirect(QueryHelpers.AddQueryString(returnTo, "error", outcome.Error!));
        }

        var code = await codes.IssueAsync(identity, properties.Items[ExternalHandler.Challenge]!, context.RequestAborted);
        return TypedResults.Redirect(QueryHelpers.AddQueryString(returnTo, "code", code));
    }

    private static async Task<Results<Ok<TokenPair>, ErrorResult>> ExchangeAsync(
        HttpContext context, ExternalSignIn signIn, SignInAnswers answers, ForwardedClient forwarded)
    {
        var (identity, error) = await RedeemAsync(context, signIn.Codes);
        if (identity is null)
        {
            return error!;
        }

        var (result, refusal) = await signIn.RunAsync(identity, RememberedDevices.TokenOf(context), ClientInfo.Of(context, forwarded), context.RequestAborted);
        return refusal is null ? answers.For(context, result) : refusal;
    }

    private static async Task<Ok<ExternalLinkList>> ListLinksAsync(Caller caller, ExternalIdentityTable identities, CancellationToken cancellationToken)
    {
        var links = await identities.ListAsync(caller.OwnerId, cancellationToken);
        return TypedResults.Ok(new ExternalLinkList([.. links.Select(static link => new ExternalLinkView(link.Provider, link.Email, link.LinkedAt, link.LastUsedAt))]));
    }

    private static async Task<Results<NoContent, ErrorResult>> LinkAsync(
        [Description(ProviderMeaning)] string provider,
        HttpContext context,
        Caller caller,
        ExternalOptions options,
        ExternalCodes codes,
        ExternalIdentityTable identities,
        StepUp stepUp,
        ForwardedClient forwarded)
    {
        if (options.Find(provider) is null)
        {
            return NoProvider;
        }

        // Before the code is taken: it serves for the next try.
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } refusal)
        {
            return refusal;
        }

        var (identity, error) = await RedeemAsync(context, codes);
        if (identity is null)
        {
            return error!;
        }

        return identity.Provider != provider ? BadCode
            : await identities.LinkAsync(caller.OwnerId, identity, Actor.Of(context, caller, forwarded), CancellationToken.None) ? TypedResults.NoContent()
            : ApiErrors.Conflict("This account of the provider is linked already, or your account is linked to another one of this provider; unlink that first.");
    }

    private static async Task<Results<NoContent, ErrorResult>> UnlinkAsync(
        [Description(ProviderMeaning)] string provider, HttpContext context, Caller caller, ExternalIdentityTable identities, StepUp stepUp, ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } refusal)
        {
            return refusal;
        }

        return await identities.UnlinkAsync(caller.OwnerId, provider, Actor.Of(context, caller, forwarded), CancellationToken.None) switch
        {
            UnlinkStatus.Unlinked => TypedResults.NoContent(),
            UnlinkStatus.LastWay => ApiErrors.Conflict("This is the last way to sign in to your account; set a password or link another provider first."),
            _ => ApiErrors.NotFound("Your account is not linked to this provider."),
        };
    }

    private static async Task<(ExternalIdentity? Identity, ErrorResult? Error)> RedeemAsync(HttpContext context, ExternalCodes codes)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var code = fields.Required("code");
        var verifier = fields.Required("code_verifier");
        if (fields.Error is { } error)
        {
            return (null, error);
        }

        return await codes.RedeemAsync(code, verifier) is { } identity ? (identity, null) : (null, BadCode);
    }
}
