using System.Runtime.ExceptionServices;
using System.Text.Json;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

/// <summary>What a browser is to be asked, and the state with which its answer is checked.</summary>
internal sealed record PasskeyQuestion(JsonElement Options, string State);

/// <summary>The ceremonies of WebAuthn, by the framework's own code.</summary>
internal sealed partial class PasskeyCeremonies
{
    private const int MaxReason = 200;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private readonly PasskeyHandler<PasskeyOwner> _verifying;
    private readonly PasskeyHandler<PasskeyOwner> _present;
    private readonly ILogger<PasskeyCeremonies> _logger;

    public PasskeyCeremonies(PasskeyStore store, PasskeySettings settings, ILoggerFactory loggers)
    {
        // The handlers ask for a user manager and use nothing of it but its store.
        var users = new UserManager<PasskeyOwner>(
            store, Options.Create(new IdentityOptions()), null!, [], [], null!, new IdentityErrorDescriber(), null!, loggers.CreateLogger<UserManager<PasskeyOwner>>());
        _verifying = Make("required");
        _present = Make("preferred");
        _logger = loggers.CreateLogger<PasskeyCeremonies>();

        PasskeyHandler<PasskeyOwner> Make(string userVerification) => new(
            users,
            Options.Create(new IdentityPasskeyOptions
            {
                ServerDomain = settings.Domain,
                AuthenticatorTimeout = Timeout,
                UserVerificationRequirement = userVerification,
                ResidentKeyRequirement = "preferred",
                AttestationConveyancePreference = "none",
                ValidateOrigin = context => new(!context.CrossOrigin && context.TopOrigin is null && settings.Origins.Contains(context.Origin)),
            }));
    }

    public async Task<PasskeyQuestion> AskToCreateAsync(HttpContext context, Account account)
    {
        var made = await _present.MakeCreationOptionsAsync(
            new() { Id = new PasskeyOwner(account.Id).Id, Name = account.Email, DisplayName = account.Name ?? account.Email }, context);
        return new(Parse(made.CreationOptionsJson), made.AttestationState!);
    }

    /// <summary>The passkey that a browser made; null where it is not as it should be.</summary>
    public async Task<UserPasskeyInfo?> CreateAsync(HttpContext context, JsonElement credential, string state)
    {
        var result = await _present.PerformAttestationAsync(new() { HttpContext = context, CredentialJson = credential.GetRawText(), AttestationState = state });
        return result.Succeeded ? result.Passkey : Refuse<UserPasskeyInfo>(result.Failure);
    }

    /// <param name="accountId">Whose passkeys may answer; null where any account's may, which then count as both factors: something that one has, and a finger or a PIN.</param>
    public async Task<PasskeyQuestion> AskToSignAsync(HttpContext context, long? accountId)
    {
        var made = await (accountId is null ? _verifying : _present).MakeRequestOptionsAsync(accountId is { } id ? new(id) : null!, context);
        return new(Parse(made.RequestOptionsJson), made.AssertionState!);
    }

    /// <summary>The passkey that signed, with its new counter, and whose it is; null where the signature proves nothing.</summary>
    /// <param name="accountId">As it was asked for.</param>
    public async Task<SignedPasskey?> VerifyAsync(HttpContext context, JsonElement credential, string state, long? accountId)
    {
        var result = await (accountId is null ? _verifying : _present).PerformAssertionAsync(
            new() { HttpContext = context, CredentialJson = credential.GetRawText(), AssertionState = state });
        return result.Succeeded && (accountId is null || result.User.AccountId == accountId)
            ? new(result.User.AccountId, result.Passkey)
            : Refuse<SignedPasskey>(result.Failure);
    }

    private T? Refuse<T>(PasskeyException? failure)
        where T : class
    {
        // The handlers make every exception a refusal; that the database is away is none.
        if (failure?.InnerException is StorageUnavailableException unavailable)
        {
            ExceptionDispatchInfo.Throw(unavailable);
        }

        var reason = failure?.Message ?? "It is another account's.";
        Log.Refused(_logger, reason[..Math.Min(reason.Length, MaxReason)]);
        return null;
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "A passkey was refused: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}

/// <summary>A passkey that signed, with what is to be kept of it now, and whose it is.</summary>
internal sealed record SignedPasskey(long AccountId, UserPasskeyInfo Passkey);
