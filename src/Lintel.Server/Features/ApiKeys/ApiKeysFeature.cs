using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;
using Lintel.Platform.Security;

namespace Lintel.Features.ApiKeys;

internal static class ApiKeysFeature
{
    /// <summary>Keys for programs: the one of the settings, and those that people make.</summary>
    public static void AddApiKeys(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(ApiKeyOptions.Read);
        builder.AddJson(ApiKeysJson.Default);
        builder.DescribeTag("API keys", "Keys for programs that work for you. A key goes into `X-API-Key`; people make, list and revoke them, keys cannot.");

        var services = builder.Services;
        services.AddSingleton<IApiKeyVerifier, StaticApiKey>();
        services.AddSingleton<StoredApiKeys>();
        services.AddSingleton<IApiKeyVerifier>(static provider => provider.GetRequiredService<StoredApiKeys>());
        services.AddSingleton(new RevokedRows("SELECT id FROM api_key WHERE revoked_at > $1"));
        services.AddSingleton<IPersonalData, ApiKeyPersonalData>();
        services.AddSingleton<ApiKeyTable>();
        services.AddSingleton<IAccountKeys>(static provider => provider.GetRequiredService<ApiKeyTable>());
        services.AddSingleton<ApiKeyLog>();
        services.AddSingleton<ApiKeyUse>();
        services.AddHostedService(static provider => provider.GetRequiredService<ApiKeyUse>());
        services.AddHostedService<ApiKeyRetentionWorker>();
    }
}
