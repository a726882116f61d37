using Lintel.Platform.Security;

namespace Lintel.Features.ApiKeys;

internal static class ApiKeysFeature
{
    public static void AddApiKeys(this IHostApplicationBuilder builder) =>
        builder.Services.AddSingleton<IApiKeyVerifier, StaticApiKey>();
}
