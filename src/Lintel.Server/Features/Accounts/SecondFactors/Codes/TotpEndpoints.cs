using System.Security.Cryptography;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

internal static class TotpEndpoints
{
    private static readonly TimeSpan SetupTime = TimeSpan.FromHours(1);

    public static void MapTotp(this RouteGroupBuilder auth)
    {
        var totp = auth.MapGroup("2fa/totp").RequirePerson().RateLimited();
        totp.MapPost("", StartAsync).WithName("StartTotp").WithSummary("Get a secret for an authenticator app")
            .WithDescription("It counts once a first code was confirmed, within an hour. " + StepUp.Wanted).ProducesErrors(401, 409);
        totp.MapPost("confirm", ConfirmAsync).WithName("ConfirmTotp").WithSummary("Make the authenticator app a second factor, with a first code of it")
            .WithDescription("From now on a sign-in with the password needs a code. With the first factor come recovery codes.").ProducesErrors(401, 409);
        totp.MapDelete("", RemoveAsync).WithName("RemoveTotp").WithSummary("Remove the authenticator app")
            .WithDescription("With the last factor the recovery codes and the remembered devices are forgotten. " + StepUp.Wanted)
            .ProducesErrors(401, 404).DescribeResponse(204, "It is no second factor any more.");
    }

    private static async Task<Results<Ok<StartedTotp>, ErrorResult>> StartAsync(
        HttpContext context, Caller caller, StepUp stepUp, Database database, AccountTable accounts, FactorSecrets secrets, AuthenticatorSetup setup, TimeProvider time)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        if (await accounts.FindAsync(caller.OwnerId, context.RequestAborted) is not { IsActive: true } account)
        {
            return ApiErrors.TokenRevoked();
        }

        var secret = RandomNumberGenerator.GetBytes(OneTimeCode.SecretLength);
        var encrypted = secrets.Encrypt(caller.OwnerId, secret);
        var (isAlive, isStarted) = await database.WriteAsync(
            async unit => await FactorTable.LockAsync(unit, caller.OwnerId, caller.SessionId) is null
                ? (false, false)
                : (true, await TotpTable.StartAsync(unit, caller.OwnerId, encrypted, time.GetUtcNow())),
            context.RequestAborted);
        if (!isAlive)
        {
            return ApiErrors.TokenRevoked();
        }

        if (!isStarted)
        {
            return ApiErrors.Conflict("This account has an authenticator app already; remove it first.");
        }

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(setup.Describe(account.Email, secret));
    }

    private static async Task<Results<Ok<FactorAdded>, ErrorResult>> ConfirmAsync(
        ConfirmTotp request,
        HttpContext context,
        Caller caller,
        StepUp stepUp,
        Database database,
        TotpTable table,
        FactorTable factors,
        FactorNews news,
        SecondFactorLog log,
        ForwardedClient forwarded,
        TimeProvider time)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        if (OneTimeCode.Normalize(request.Code ?? "") is not { } code)
        {
            return ApiErrors.Invalid("code", "Must be the six digits that the app shows.");
        }

        var now = time.GetUtcNow();
        var (isAlive, added) = await database.WriteAsync<(bool, FactorAdded?)>(
            async unit =>
            {
                if (await FactorTable.LockAsync(unit, caller.OwnerId, caller.SessionId) is null)
                {
                    return (false, null);
                }

                if (!await table.ConfirmAsync(unit, caller.OwnerId, code, now - SetupTime, now))
                {
                    return (true, null);
                }

                await stepUp.NoteAsync(unit, caller.SessionId!.Value, AuthMethods.Totp);
                await news.AddedAsync(unit, caller.OwnerId, Actor.Of(context, caller, forwarded), FactorNews.Totp);
                return (true, new FactorAdded(await factors.ChangedAsync(unit, caller.OwnerId)));
            },
            CancellationToken.None);
        if (!isAlive)
        {
            return ApiErrors.TokenRevoked();
        }

        if (added is null)
        {
            return ApiErrors.Conflict("This is no code of the secret that was last given out; look at the app again, or get another secret.");
        }

        log.Added(caller.OwnerId, FactorNews.Totp);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(added);
    }

    private static async Task<Results<NoContent, ErrorResult>> RemoveAsync(
        HttpContext context, Caller caller, StepUp stepUp, Database database, FactorTable factors, FactorNews news, SecondFactorLog log, ForwardedClient forwarded)
    {
        if (await stepUp.RequireAsync(caller, context.RequestAborted) is { } error)
        {
            return error;
        }

        var removed = await database.WriteAsync<bool?>(
            async unit =>
            {
                if (await FactorTable.LockAsync(unit, caller.OwnerId, caller.SessionId) is null)
                {
                    return null;
                }

                if (!await TotpTable.RemoveAsync(unit, caller.OwnerId))
                {
                    return false;
                }

                await news.RemovedAsync(unit, caller.OwnerId, Actor.Of(context, caller, forwarded), FactorNews.Totp);
                await factors.ChangedAsync(unit, caller.OwnerId);
                return true;
            },
            CancellationToken.None);
        if (removed is not true)
        {
            return removed is null ? ApiErrors.TokenRevoked() : ApiErrors.NotFound("This account has no authenticator app.");
        }

        log.Removed(caller.OwnerId, FactorNews.Totp);
        return TypedResults.NoContent();
    }
}
