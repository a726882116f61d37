using System.Text.Json.Serialization;
using Lintel.Platform.Errors;
using Lintel.Platform.Health;
using Lintel.Platform.RateLimits;

namespace Lintel.Platform.Http;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthStatus))]
[JsonSerializable(typeof(ReadinessReport))]
[JsonSerializable(typeof(LimitedAnswer))]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(int?))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(long?))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(double?))]
[JsonSerializable(typeof(Guid))]
[JsonSerializable(typeof(Guid?))]
[JsonSerializable(typeof(DateTimeOffset))]
[JsonSerializable(typeof(DateTimeOffset?))]
// The plain types are those of route and query parameters, which the API description must know.
internal sealed partial class PlatformJson : JsonSerializerContext;
