using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts;

internal static class AccountsFeature
{
    /// <summary>Accounts, sessions, and all that turns their credentials into callers.</summary>
    public static void AddAccounts(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(AccountOptions.Read);
        builder.AddJson(AccountsJson.Default);

        var services = builder.Services;
        services.AddSingleton<IAccessTokenVerifier, AccessTokens>();
        services.AddSingleton<Tickets>();
        services.AddSingleton<ITicketRedeemer>(static provider => provider.GetRequiredService<Tickets>());

        services.AddSingleton<AccountLog>();
        services.AddSingleton<AccountTable>();
        services.AddSingleton<PasswordHashing>();
        services.AddSingleton<RevocationLog>();
        services.AddSingleton<SessionEnd>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<SignIn>();
        services.AddSingleton<TokenReader>();
        services.AddSingleton<TokenSigner>();
        services.AddHostedService<RevocationWorker>();
        services.AddHostedService<AccountRetentionWorker>();
    }
}
