using System.Text.Json.Serialization;
using Lintel.Platform.Health;

namespace Lintel.Platform.Http;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthStatus))]
[JsonSerializable(typeof(ReadinessReport))]
[JsonSerializable(typeof(string))]
internal sealed partial class PlatformJson : JsonSerializerContext;
