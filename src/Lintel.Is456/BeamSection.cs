namespace Lintel.Is456;

/// <summary>
/// The cross-section of a beam and its materials: rectangular, or flanged (T or L, flange in compression) when a flange is given.
/// Lengths in mm, areas in mm2, strengths in N/mm2.
/// </summary>
/// <remarks>Nothing is checked here: <see cref="Beam.Validate(in BeamSection)"/> names every value that cannot be used.</remarks>
public readonly record struct BeamSection
{
    public BeamSection()
    {
    }

    /// <summary>Width b, or the width of the web bw of a flanged beam, mm; above 0, at most 5000.</summary>
    public required double Width { get; init; }

    /// <summary>Overall depth D, mm; above 0, at most 5000.</summary>
    public required double Depth { get; init; }

    /// <summary>Effective depth d, mm: compression face to centroid of tension steel; less than <see cref="Depth"/>.</summary>
    public required double EffectiveDepth { get; init; }

    /// <summary>Depth d' of the compression steel below the compression face, mm.</summary>
    public double CompressionSteelDepth { get; init; } = 50;

    /// <summary>Characteristic cube strength of concrete fck, N/mm2; 15 to 80, with a warning above 55.</summary>
    public required double ConcreteStrength { get; init; }

    /// <summary>Characteristic strength of main steel fy, N/mm2; 250 to 550.</summary>
    public required double SteelStrength { get; init; }

    /// <summary>Area Asv of all legs of one stirrup, mm2; 100 is two legs of 8 mm, rounded.</summary>
    public double StirrupArea { get; init; } = 100;

    /// <summary>Effective width of the flange bf, mm, at least <see cref="Width"/>; 0 for a rectangular beam. See <see cref="EffectiveFlange"/>.</summary>
    public double FlangeWidth { get; init; }

    /// <summary>Depth of the flange Df, mm, less than <see cref="Depth"/>; 0 for a rectangular beam.</summary>
    public double FlangeDepth { get; init; }

    /// <summary>Whether a flange is given; giving only one of its two measures is reported by validation.</summary>
    public bool IsFlanged => FlangeWidth != 0 || FlangeDepth != 0;
}
