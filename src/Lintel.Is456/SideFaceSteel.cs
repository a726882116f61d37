namespace Lintel.Is456;

/// <summary>Bars along the side faces of deep webs (IS 456:2000, cl. 26.5.1.3).</summary>
public readonly record struct SideFaceSteel
{
    /// <summary>The depth of web, mm, above which side-face steel is needed.</summary>
    public const double DepthWithout = 750;

    /// <summary>Whether the web is deeper than 750 mm; every other value is 0 if not.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Steel required in all, mm2: 0.1 % of the web area, half of it on each face.</summary>
    public double Area { get; init; }

    /// <summary>Steel required on each of the two faces, mm2.</summary>
    public double AreaPerFace { get; init; }

    /// <summary>Greatest spacing of the bars, mm: the lesser of 300 mm and the web's width.</summary>
    public double MaxSpacing { get; init; }

    /// <summary>What a web of <paramref name="width"/> by <paramref name="depth"/> (overall), mm, needs.</summary>
    public static SideFaceSteel For(double width, double depth)
    {
        if (!(depth > DepthWithout))
        {
            return default;
        }

        var area = 0.001 * width * depth;
        return new SideFaceSteel { IsRequired = true, Area = area, AreaPerFace = area / 2, MaxSpacing = Math.Min(300, width) };
    }
}
