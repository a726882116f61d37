using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Beams;

// These describe requests and results in the API document. The server reads and writes the same shapes by hand, without making these
// objects; tests hold the two together. What may be left out has no [Required], and may not be null.

/// <summary>A beam's section and materials. Every field may be left out; unknown ones are ignored.</summary>
public abstract record BeamShape
{
    /// <summary>Width, or width of the web, mm.</summary>
    [Range(100, 2000), DefaultValue(300.0)]
    public double Width { get; init; }

    /// <summary>Overall depth, mm; at most 6 times the width.</summary>
    [Range(150, 3000), DefaultValue(500.0)]
    public double Depth { get; init; }

    /// <summary>Characteristic strength of the concrete, N/mm2.</summary>
    [Range(15, 80), DefaultValue(25.0)]
    public double Fck { get; init; }

    /// <summary>Characteristic strength of the steel, N/mm2.</summary>
    [Range(250, 550), DefaultValue(500.0)]
    public double Fy { get; init; }

    /// <summary>Clear cover, mm.</summary>
    [Range(20, 75), DefaultValue(40.0)]
    public double Cover { get; init; }

    /// <summary>Stirrup diameter, mm. With this or the main bar given, d = depth - cover - stirrup - bar/2; with neither, depth - cover - 8.</summary>
    [Range(6, 16)]
    public double StirrupDiaMm { get; init; }

    /// <summary>Main bar diameter, mm; 20 when only the stirrup is given.</summary>
    [Range(8, 36)]
    public double MainBarDiaMm { get; init; }

    /// <summary>Effective depth, mm, in place of the one derived from cover and bars.</summary>
    [Range(20, 3000)]
    public double EffectiveDepth { get; init; }

    /// <summary>Area of all legs of one stirrup, mm2.</summary>
    [Range(0, 5000, MinimumIsExclusive = true), DefaultValue(100.0)]
    public double Asv { get; init; }

    /// <summary>Depth of the compression steel below the compression face, mm; derived from the bars, or 50.</summary>
    [Range(0, 5000, MinimumIsExclusive = true)]
    public double Dd { get; init; }

    /// <summary>Effective width of the flange of a T- or L-beam, mm; with <c>flange_depth</c>.</summary>
    [Range(0, 5000, MinimumIsExclusive = true)]
    public double FlangeWidth { get; init; }

    /// <summary>Depth of the flange, mm; with <c>flange_width</c>.</summary>
    [Range(0, 3000, MinimumIsExclusive = true)]
    public double FlangeDepth { get; init; }
}

/// <summary>A beam to design. Every field may be left out; unknown ones are ignored.</summary>
/// <example>{"id":"B1","width":300,"depth":500,"moment":120,"shear":80,"fck":25,"fy":500,"cover":40}</example>
public sealed record DesignBeam : BeamShape
{
    /// <summary>The beam's name in results; <c>beam_id</c> and <c>member_id</c> are understood as well. A number is taken as text.</summary>
    [TextOrNumber]
    public JsonElement? Id { get; init; }

    /// <summary>Factored bending moment, kN.m.</summary>
    [Range(0, 1e9), DefaultValue(100.0)]
    public double Moment { get; init; }

    /// <summary>Factored shear force, kN.</summary>
    [Range(0, 1e9), DefaultValue(50.0)]
    public double Shear { get; init; }
}

/// <summary>A beam as designed to IS 456:2000. Lengths mm, areas mm2, stresses N/mm2, moments kN.m, forces kN.</summary>
/// <param name="Success">As <paramref name="IsOk"/>.</param>
/// <param name="Message">The verdict in words.</param>
/// <param name="Status">PASS when flexure and shear are both safe, else FAIL.</param>
/// <param name="IsOk">Whether flexure and shear are both safe.</param>
/// <param name="IsSafe">As <paramref name="IsOk"/>.</param>
/// <param name="GoverningUtilization">The larger of the two utilizations.</param>
/// <param name="UtilizationRatio">The same, but never above 2.</param>
/// <param name="Utilizations">The utilization of each check.</param>
/// <param name="Flexure">Steel for the moment.</param>
/// <param name="Shear">Stresses and stirrups.</param>
/// <param name="AstTotal">Tension steel required.</param>
/// <param name="AscTotal">Compression steel required.</param>
/// <param name="EffectiveDepthUsed">The effective depth that was designed with.</param>
/// <param name="CompressionSteelDepthUsed">The depth of the compression steel that was designed with.</param>
/// <param name="SideFace">Steel along the side faces; null up to a depth of 750 mm.</param>
/// <param name="FailedChecks">What fails and why; empty when all is safe.</param>
/// <param name="Warnings">What an engineer should look at although the design stands.</param>
public sealed record DesignedBeam(
    bool Success,
    string Message,
    [property: AllowedValues("PASS", "FAIL")] string Status,
    bool IsOk,
    bool IsSafe,
    double GoverningUtilization,
    double UtilizationRatio,
    BeamUtilizations Utilizations,
    DesignedFlexure Flexure,
    DesignedShear Shear,
    double AstTotal,
    double AscTotal,
    double EffectiveDepthUsed,
    double CompressionSteelDepthUsed,
    DesignedSideFace? SideFace,
    IReadOnlyList<string> FailedChecks,
    IReadOnlyList<string> Warnings);

/// <summary>How much of the section is used, by check. Above 1 is not safe.</summary>
/// <param name="Flexure">Mu/Mu,lim; 1 when doubly reinforced and safe.</param>
/// <param name="Shear">tau_v/tau_c,max.</param>
public sealed record BeamUtilizations(double Flexure, double Shear);

/// <summary>Steel for the moment.</summary>
/// <param name="AstRequired">Tension steel required.</param>
/// <param name="AstMin">Least tension steel.</param>
/// <param name="AstMax">Greatest tension steel, and greatest compression steel.</param>
/// <param name="AscRequired">Compression steel required.</param>
/// <param name="MuLim">Limiting moment without compression steel.</param>
/// <param name="MomentCapacity">As <paramref name="MuLim"/>.</param>
/// <param name="Xu">Depth of the neutral axis.</param>
/// <param name="XuMax">Its limit.</param>
/// <param name="IsUnderReinforced">Whether xu is within its limit.</param>
/// <param name="IsDoublyReinforced">Whether the moment exceeds the limiting one.</param>
/// <param name="Utilization">Mu/Mu,lim; 1 when doubly reinforced and safe.</param>
/// <param name="IsSafe">Whether the steel fits and can work.</param>
public sealed record DesignedFlexure(
    double AstRequired,
    double AstMin,
    double AstMax,
    double AscRequired,
    double MuLim,
    double MomentCapacity,
    double Xu,
    double XuMax,
    bool IsUnderReinforced,
    bool IsDoublyReinforced,
    double Utilization,
    bool IsSafe);

/// <summary>Stresses and stirrups.</summary>
/// <param name="Tv">Nominal shear stress.</param>
/// <param name="TauV">As <paramref name="Tv"/>.</param>
/// <param name="Tc">Shear strength of the concrete.</param>
/// <param name="TauC">As <paramref name="Tc"/>.</param>
/// <param name="TcMax">Ceiling of the shear stress.</param>
/// <param name="TauCMax">As <paramref name="TcMax"/>.</param>
/// <param name="Vus">Shear left to the stirrups.</param>
/// <param name="AsvRequired">Stirrup steel per length, mm2/mm.</param>
/// <param name="Spacing">Stirrup spacing; 0 when the section is too small.</param>
/// <param name="StirrupSpacing">As <paramref name="Spacing"/>.</param>
/// <param name="SvMax">The widest spacing whatever the depth.</param>
/// <param name="ShearCapacity">Shear that the section carries with these stirrups.</param>
/// <param name="Utilization">tau_v/tau_c,max.</param>
/// <param name="IsSafe">Whether the stress is within its ceiling.</param>
public sealed record DesignedShear(
    double Tv,
    double TauV,
    double Tc,
    double TauC,
    double TcMax,
    double TauCMax,
    double Vus,
    double AsvRequired,
    double Spacing,
    double StirrupSpacing,
    double SvMax,
    double ShearCapacity,
    double Utilization,
    bool IsSafe);

/// <summary>Steel along the side faces of a deep beam.</summary>
/// <param name="Area">Steel along both faces together.</param>
/// <param name="AreaPerFace">Steel along each face.</param>
/// <param name="MaxSpacing">Greatest spacing of the bars.</param>
public sealed record DesignedSideFace(double Area, double AreaPerFace, double MaxSpacing);
