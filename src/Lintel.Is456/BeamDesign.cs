namespace Lintel.Is456;

/// <summary>The design of one section for one load case: flexure, shear and, where asked, span/depth.</summary>
public readonly record struct BeamDesign
{
    public FlexureResult Flexure { get; init; }

    public ShearResult Shear { get; init; }

    /// <summary>The span/depth check, when <see cref="DesignOptions.SpanDepth"/> asked for it.</summary>
    public SpanDepthResult? SpanDepth { get; init; }

    public BeamWarnings Warnings { get; init; }

    /// <summary>
    /// The greatest of the checks' utilizations. A value up to 1 does not imply <see cref="IsOk"/>: a singly reinforced section of rich
    /// concrete and mild steel can exceed the 4 % limit below its limiting moment.
    /// </summary>
    public double Utilization => Math.Max(Math.Max(Flexure.Utilization, Shear.Utilization), SpanDepth?.Utilization ?? 0);

    public FailedChecks FailedChecks => Flexure.FailedChecks | Shear.FailedChecks
        | (SpanDepth is { IsOk: false } ? FailedChecks.SpanDepthAboveLimit : FailedChecks.None);

    /// <summary>Whether every check that was made holds.</summary>
    public bool IsOk => FailedChecks == FailedChecks.None;
}
