namespace Lintel.Is456;

/// <summary>How a beam is held, which sets its basic span/depth ratio (IS 456:2000, cl. 23.2.1 a).</summary>
public enum Support
{
    SimplySupported,
    Cantilever,
    Continuous,
}

/// <summary>What the span/depth check starts from; the factors are 1 unless read from the code's figures.</summary>
public readonly record struct SpanDepthInput
{
    public SpanDepthInput()
    {
    }

    /// <summary>Effective span, mm; above 0.</summary>
    public required double Span { get; init; }

    /// <summary>Support of the span; simply supported unless said otherwise.</summary>
    public Support Support { get; init; }

    /// <summary>Modification factor for tension steel (cl. 23.2.1 c, Fig. 4).</summary>
    public double TensionSteelFactor { get; init; } = 1;

    /// <summary>Modification factor for compression steel (cl. 23.2.1 d, Fig. 5).</summary>
    public double CompressionSteelFactor { get; init; } = 1;

    /// <summary>Reduction factor for flanged beams (cl. 23.2.1 e, Fig. 6).</summary>
    public double FlangeFactor { get; init; } = 1;
}

/// <summary>Vertical deflection by the ratio of span to effective depth (IS 456:2000, cl. 23.2.1).</summary>
public readonly record struct SpanDepthResult
{
    /// <summary>Span over effective depth.</summary>
    public double Ratio { get; init; }

    /// <summary>The greatest ratio allowed.</summary>
    public double Allowed { get; init; }

    /// <summary>Ratio/Allowed.</summary>
    public double Utilization => Ratio / Allowed;

    public bool IsOk => Ratio <= Allowed;
}

/// <summary>The span/depth check (IS 456:2000, cl. 23.2.1). Inputs are taken as valid.</summary>
public static class SpanDepth
{
    /// <summary>The span, mm, above which the basic ratio shrinks by 10 m/span (cl. 23.2.1 b).</summary>
    public const double LongSpan = 10_000;

    /// <summary>Basic ratio of cl. 23.2.1 a: cantilever 7, simply supported 20, continuous 26.</summary>
    public static double BasicRatio(Support support) => support switch
    {
        Support.Cantilever => 7,
        Support.Continuous => 26,
        _ => 20,
    };

    /// <summary>Compares span/d with the allowed ratio. Spans above 10 m are allowed less, cantilevers excepted.</summary>
    public static SpanDepthResult Check(in SpanDepthInput input, double effectiveDepth)
    {
        var allowed = BasicRatio(input.Support) * input.TensionSteelFactor * input.CompressionSteelFactor * input.FlangeFactor;

        if (input.Span > LongSpan && input.Support != Support.Cantilever)
        {
            allowed *= LongSpan / input.Span;
        }

        return new SpanDepthResult { Ratio = input.Span / effectiveDepth, Allowed = allowed };
    }
}
