using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.External;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.Keys;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Revocation;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

internal static class AccountsFeature
{
    /// <summary>Accounts, sessions, and all that turns their credentials into callers.</summary>
    public static void AddAccounts(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(AccountOptions.Read);
        builder.AddSettings(TokenOptions.Read);
        builder.AddJson(AccountsJson.Default);
        builder.AddAudit();
        builder.AddEmail();
        builder.AddPasswords();
        builder.AddSecondFactors();
        builder.DescribeTag(
            "Accounts",
            "Register, sign in, stay signed in. An access token goes into `Authorization: Bearer` and is valid for minutes; a refresh token is valid for one new pair.");

        builder.AddExpiry("ws_ticket", "hash");
        builder.AddExternal();
        builder.AddGuessing();
        builder.AddSigningKeys();
        builder.AddSessions();

        var services = builder.Services;
        services.AddSingleton<IAccessTokenVerifier, AccessTokens>();
        services.AddSingleton<Tickets>();
        services.AddSingleton<ITicketRedeemer>(static provider => provider.GetRequiredService<Tickets>());

        services.AddSingleton<AccountAccess>();
        services.AddSingleton<AccountLog>();
        services.AddSingleton<AccountMail>();
        services.AddSingleton<AccountRateLimits>();
        services.AddSingleton<IPersonalData, AccountPersonalData>();
        services.AddSingleton<AccountTable>();
        services.AddSingleton<RevocationLog>();
        services.AddSingleton<Revocations>();
        services.AddSingleton(new RevokedRows("SELECT id FROM session WHERE revoked_at > $1"));
        services.AddSingleton(EndedCredentials.Rows);
        services.AddSingleton<ImportedPasswords>();
        services.AddSingleton<SignIn>();
        services.AddSingleton<SignInAnswers>();
        services.AddSingleton<SignInCompletion>();
        services.AddSingleton<TokenReader>();
        services.AddSingleton<TokenSigner>();
        services.AddHostedService<ImportedPasswordWatch>();
        services.AddHostedService<RevocationWorker>();
        services.AddHostedService<RevocationRetentionWorker>();
    }
}
