namespace Lintel.Is456;

/// <summary>What a caller may choose beyond section and actions; <c>default</c> is the code as written.</summary>
public readonly record struct DesignOptions
{
    /// <summary>Characteristic strength of the stirrups, N/mm2 (250 to 550); null takes that of the main steel.</summary>
    public double? StirrupStrength { get; init; }

    /// <summary>
    /// Lets stirrups work above 415 N/mm2. This is against cl. 40.4 and 26.5.1.6 and gives spacings up to 20 % wider with Fe 500;
    /// it is here to reproduce the answers of programs that leave the limit out.
    /// </summary>
    public bool UncappedStirrups { get; init; }

    /// <summary>The span/depth check to make beside strength; null makes none.</summary>
    public SpanDepthInput? SpanDepth { get; init; }
}
