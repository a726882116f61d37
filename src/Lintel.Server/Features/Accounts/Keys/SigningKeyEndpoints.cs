using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Caching;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.Keys;

internal static class SigningKeyEndpoints
{
    // Less than a key is published before it signs, and less than one is published after.
    private const string PublicForMinutes = "public, max-age=300";

    private const int MaxBodyBytes = 1024;

    public static void MapSigningKeys(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/.well-known/jwks.json", GetPublicKeys).WithTags("Accounts").WithName("PublicKeys").WithSummary("Get the keys that access tokens can be verified with")
            .WithDescription(
                "For other services, where `ALGORITHM` is `ES256`. A key is published long before it signs, so keeping the answer for the five minutes of its `Cache-Control` is safe; "
                + "fetch it again when a token names a key that you do not know.")
            .RateLimited();
        var keys = routes.MapGroup("/api/admin/signing-keys").WithTags("Administration").RequireCaller(Scopes.Admin).RateLimited();
        keys.MapGet("", List).WithName("ListSigningKeys").WithSummary("List the keys that sign access tokens");
        keys.MapPost("rotate", RotateAsync).WithName("RotateSigningKeys").WithSummary("Retire the key that signs, and sign with the next")
            .WithDescription("What was signed before stays good until it ends, unless the keys are compromised. It happens by itself every `SIGNING_KEY_DAYS`.")
            .MaxBody(MaxBodyBytes).ProducesErrors(409);
    }

    private static CachedResult<JsonWebKeySet> GetPublicKeys(SigningKeys keys) => new(keys.Published, PublicForMinutes);

    private static Ok<SigningKeyList> List(SigningKeys keys, TokenOptions options) =>
        TypedResults.Ok(new SigningKeyList(options.Algorithm.ToString(), [.. keys.All.Select(SigningKeyView.From)]));

    private static async Task<Results<Ok<SigningKeyList>, ErrorResult>> RotateAsync(
        RotateKeysRequest request,
        HttpContext context,
        Caller caller,
        StepUp stepUp,
        SigningKeys keys,
        SigningKeyTable table,
        TokenOptions options,
        ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } refusal)
        {
            return refusal;
        }

        if (options.Algorithm != SigningAlgorithm.ES256)
        {
            return ApiErrors.Conflict("Tokens are signed with SECRET_KEY here (ALGORITHM=HS256); change that setting to change the key.");
        }

        // Once begun it ends: who asks for this may be in a hurry, and gone.
        if (!await table.RotateAsync(keys.Active.Id, request.Compromised, Actor.Of(context, caller, forwarded), CancellationToken.None))
        {
            await keys.LoadAsync(renewsSeals: false, CancellationToken.None);
            return ApiErrors.Conflict("The keys were rotated a moment ago; look at them, and ask again if you still want to.");
        }

        await keys.ChangedAsync(CancellationToken.None);
        return TypedResults.Ok(new SigningKeyList(options.Algorithm.ToString(), [.. keys.All.Select(SigningKeyView.From)]));
    }
}
