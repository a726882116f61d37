namespace Lintel.Is456;

/// <summary>Why a design is not safe. More than one may hold.</summary>
[Flags]
public enum FailedChecks
{
    None = 0,

    /// <summary>Tension steel above 4 % of b D (cl. 26.5.1.1 b).</summary>
    TensionSteelAboveMaximum = 1,

    /// <summary>Compression steel above 4 % of b D (cl. 26.5.1.2).</summary>
    CompressionSteelAboveMaximum = 2,

    /// <summary>The moment needs compression steel, but it lies too deep to help: d' is not above the limiting neutral axis, or its stress is below the concrete's.</summary>
    CompressionSteelCannotWork = 4,

    /// <summary>Shear stress above the ceiling of Table 20: the section must grow (cl. 40.2.3).</summary>
    ShearStressAboveCeiling = 8,

    /// <summary>Span/depth above the allowed ratio (cl. 23.2.1).</summary>
    SpanDepthAboveLimit = 16,
}
