using Lintel.Platform.OpenApi;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Beams.Live;

// As with BeamContracts: these describe what LiveBeams reads and writes by hand.

/// <summary>Asks for one design; answered by <c>design_result</c>, or <c>error</c> where the parameters are wrong.</summary>
/// <example>{"params":{"width":300,"depth":500,"moment":120,"shear":80,"fck":25,"fy":500,"cover":40}}</example>
public sealed record DesignCommand
{
    /// <summary>The beam.</summary>
    public DesignBeam Params { get; init; } = new();
}

/// <summary>Asks for one check; answered by <c>check_result</c>, or <c>error</c> where the parameters are wrong.</summary>
/// <param name="Params">The section and its load cases.</param>
/// <example>{"params":{"width":300,"depth":500,"fck":25,"fy":500,"cover":40,"cases":[{"case_id":"1","mu_knm":90,"vu_kn":60}]}}</example>
public sealed record CheckCommand(CheckBeam Params);

/// <summary>A beam was designed, at this client's request or at that of another one in the session.</summary>
/// <param name="LatencyMs">How long the server took, in milliseconds.</param>
/// <param name="Data">The design.</param>
public sealed record DesignResult(double LatencyMs, DesignedBeam Data);

/// <summary>A section was checked, at this client's request or at that of another one in the session.</summary>
/// <param name="LatencyMs">How long the server took, in milliseconds.</param>
/// <param name="Data">The check.</param>
public sealed record CheckResult(double LatencyMs, CheckedBeam Data);

/// <summary>The messages of a live session, for the API description.</summary>
internal static class LiveMessages
{
    public static readonly MessageUnion Client = new(
        "DesignSocketRequest",
        "What a client of a live session may say.",
        [new("design_beam", typeof(DesignCommand)), new("check_beam", typeof(CheckCommand)), .. CommonMessages.Client]);

    public static readonly MessageUnion Server = new(
        "DesignSocketMessage",
        "What a client of a live session hears.",
        [new("design_result", typeof(DesignResult)), new("check_result", typeof(CheckResult)), .. CommonMessages.Server]);
}
