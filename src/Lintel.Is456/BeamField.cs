namespace Lintel.Is456;

/// <summary>The inputs that validation can name.</summary>
public enum BeamField
{
    Width,
    Depth,
    EffectiveDepth,
    CompressionSteelDepth,
    ConcreteStrength,
    SteelStrength,
    StirrupArea,
    FlangeWidth,
    FlangeDepth,
    Moment,
    Shear,
    ProvidedTensionSteel,
    StirrupStrength,
    Span,
    TensionSteelFactor,
    CompressionSteelFactor,
    FlangeFactor,
}

/// <summary>The usual short names of the inputs.</summary>
public static class BeamFieldNames
{
    /// <summary>The symbol of IS 456 in plain letters, as in <c>b</c>, <c>fck</c>, <c>mu</c>.</summary>
    public static string Symbol(this BeamField field) => field switch
    {
        BeamField.Width => "b",
        BeamField.Depth => "D",
        BeamField.EffectiveDepth => "d",
        BeamField.CompressionSteelDepth => "dd",
        BeamField.ConcreteStrength => "fck",
        BeamField.SteelStrength => "fy",
        BeamField.StirrupArea => "asv",
        BeamField.FlangeWidth => "bf",
        BeamField.FlangeDepth => "Df",
        BeamField.Moment => "mu",
        BeamField.Shear => "vu",
        BeamField.ProvidedTensionSteel => "ast_provided",
        BeamField.StirrupStrength => "fy_stirrup",
        BeamField.Span => "span",
        BeamField.TensionSteelFactor => "mf_tension_steel",
        BeamField.CompressionSteelFactor => "mf_compression_steel",
        BeamField.FlangeFactor => "mf_flange",
        _ => throw new ArgumentOutOfRangeException(nameof(field)),
    };
}
