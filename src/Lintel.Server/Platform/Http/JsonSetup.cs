using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Lintel.Platform.Http;

internal static class JsonSetup
{
    /// <summary>
    /// The JSON of requests and responses: snake_case, exact names, unknown fields ignored. Only types that a generated context names can be read or
    /// written, so that a forgotten one fails when the server starts and not by slow reflection.
    /// </summary>
    public static void AddJson(this IHostApplicationBuilder builder) => builder.Services.ConfigureHttpJsonOptions(options =>
    {
        var json = options.SerializerOptions;
        json.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        json.PropertyNameCaseInsensitive = false;
        json.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
        json.MaxDepth = 32;
        json.Converters.Add(new UtcTimeConverter());
        json.TypeInfoResolverChain.Clear();
        json.TypeInfoResolverChain.Add(PlatformJson.Default);
    });

    /// <summary>Makes a feature's generated context known to its endpoints.</summary>
    public static void AddJson(this IHostApplicationBuilder builder, IJsonTypeInfoResolver context) =>
        builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Add(context));
}
