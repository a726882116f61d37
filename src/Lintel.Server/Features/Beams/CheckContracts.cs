using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Beams;

/// <summary>A section to check for several load cases. Every field of the section may be left out; unknown ones are ignored.</summary>
/// <example>{"width":300,"depth":500,"fck":25,"fy":500,"cover":40,"cases":[{"case_id":"1","mu_knm":90,"vu_kn":60},{"case_id":"2","mu_knm":120,"vu_kn":75}]}</example>
public sealed record CheckBeam : BeamShape
{
    /// <summary>The load cases.</summary>
    [Required, MinLength(1), MaxLength(1000)]
    public IReadOnlyList<CheckBeamCase> Cases { get; init; } = [];
}

/// <summary>One load case of a check. Moment and shear count by their magnitude.</summary>
public sealed record CheckBeamCase
{
    /// <summary>The case's name; <c>CASE_1</c>, <c>CASE_2</c> … by position when left out. A number is taken as text.</summary>
    [TextOrNumber]
    public JsonElement? CaseId { get; init; }

    /// <summary>Factored bending moment, kN.m.</summary>
    [Range(-1e9, 1e9)]
    public required double MuKnm { get; init; }

    /// <summary>Factored shear force, kN.</summary>
    [Range(-1e9, 1e9)]
    public required double VuKn { get; init; }

    /// <summary>Tension steel provided, mm2, on which the shear strength rests; the required steel when left out.</summary>
    [Range(0, 1e9)]
    public double AstMm2ForShear { get; init; }
}

/// <summary>A section as checked for its load cases.</summary>
/// <param name="IsOk">Whether every case is safe.</param>
/// <param name="GoverningCaseId">The case that presses hardest.</param>
/// <param name="GoverningUtilization">Its utilization.</param>
/// <param name="NumCases">How many cases there were.</param>
/// <param name="Summary">The same and more, over all cases.</param>
/// <param name="EffectiveDepthUsed">The effective depth that was checked with, mm.</param>
/// <param name="Cases">Each case in the order it was sent.</param>
public sealed record CheckedBeam(
    bool IsOk,
    string GoverningCaseId,
    double GoverningUtilization,
    int NumCases,
    CheckedSummary Summary,
    double EffectiveDepthUsed,
    IReadOnlyList<CheckedCase> Cases);

/// <summary>A check over all cases.</summary>
/// <param name="IsOk">Whether every case is safe.</param>
/// <param name="GoverningCaseId">The case that presses hardest.</param>
/// <param name="GoverningUtilization">Its utilization.</param>
/// <param name="NumCases">How many cases there were.</param>
/// <param name="NumFailedCases">How many of them are not safe.</param>
/// <param name="GoverningWorstCheck">The check that presses harder in the governing case.</param>
/// <param name="GoverningWorstUtilization">The utilization of that check.</param>
/// <param name="MaxUtilFlexure">The greatest utilization of flexure over all cases.</param>
/// <param name="MaxUtilShear">The greatest utilization of shear over all cases.</param>
/// <param name="MaxUtilDeflection">Null: not evaluated.</param>
/// <param name="MaxUtilCrackWidth">Null: not evaluated.</param>
public sealed record CheckedSummary(
    bool IsOk,
    string GoverningCaseId,
    double GoverningUtilization,
    int NumCases,
    int NumFailedCases,
    [property: AllowedValues("flexure", "shear")] string GoverningWorstCheck,
    double GoverningWorstUtilization,
    double MaxUtilFlexure,
    double MaxUtilShear,
    double? MaxUtilDeflection,
    double? MaxUtilCrackWidth);

/// <summary>One load case as checked.</summary>
/// <param name="CaseId">The case's name.</param>
/// <param name="MuKnm">Its moment as sent, kN.m.</param>
/// <param name="VuKn">Its shear as sent, kN.</param>
/// <param name="IsOk">Whether flexure and shear are both safe.</param>
/// <param name="GoverningUtilization">The larger of the two utilizations.</param>
/// <param name="Utilizations">The utilization of each check.</param>
/// <param name="AstRequired">Tension steel required, mm2.</param>
/// <param name="AscRequired">Compression steel required, mm2.</param>
/// <param name="TauV">Nominal shear stress, N/mm2.</param>
/// <param name="TauC">Shear strength of the concrete, N/mm2.</param>
/// <param name="StirrupSpacing">Stirrup spacing, mm; 0 when the section is too small.</param>
/// <param name="FailedChecks">What fails and why.</param>
/// <param name="Warnings">What an engineer should look at although the design stands.</param>
public sealed record CheckedCase(
    string CaseId,
    double MuKnm,
    double VuKn,
    bool IsOk,
    double GoverningUtilization,
    BeamUtilizations Utilizations,
    double AstRequired,
    double AscRequired,
    double TauV,
    double TauC,
    double StirrupSpacing,
    IReadOnlyList<string> FailedChecks,
    IReadOnlyList<string> Warnings);
