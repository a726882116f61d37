using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Keys;

internal static class SigningKeysSetup
{
    /// <summary>The keys that sign access tokens, and what other services need to take these tokens.</summary>
    public static void AddSigningKeys(this IHostApplicationBuilder builder)
    {
        builder.AddJson(KeysJson.Default);
        builder.Services.AddSingleton<SigningKeyTable>();
        builder.Services.AddSingleton<SigningKeys>();
        builder.Services.AddSingleton<SigningKeyWorker>();
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<SigningKeyWorker>());
        builder.Services.AddSingleton<TokenStatus>();
    }
}
