using System.Text.Json.Serialization;
using Lintel.Features.Beams.Batches;
using Lintel.Features.Beams.Live;
using Lintel.Platform.Http;

namespace Lintel.Features.Beams;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(BatchStatus))]
[JsonSerializable(typeof(BatchStarted))]
[JsonSerializable(typeof(BatchBeamDesigned))]
[JsonSerializable(typeof(BatchBeamRefused))]
[JsonSerializable(typeof(BatchRefused))]
[JsonSerializable(typeof(BatchCompleted))]
[JsonSerializable(typeof(DesignBeam))]
[JsonSerializable(typeof(DesignBeam[]))]
[JsonSerializable(typeof(DesignedBeam))]
[JsonSerializable(typeof(CheckBeam))]
[JsonSerializable(typeof(CheckedBeam))]
[JsonSerializable(typeof(DesignCommand))]
[JsonSerializable(typeof(CheckCommand))]
[JsonSerializable(typeof(DesignResult))]
[JsonSerializable(typeof(CheckResult))]
internal sealed partial class BeamsJson : JsonSerializerContext;
