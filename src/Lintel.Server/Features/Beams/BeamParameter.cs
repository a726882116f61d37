using System.Globalization;

namespace Lintel.Features.Beams;

/// <summary>The numbers that describe a beam in a request.</summary>
internal enum BeamParameter
{
    Width,
    Depth,
    Moment,
    Shear,
    Fck,
    Fy,
    Cover,
    StirrupDiameter,
    MainBarDiameter,
    EffectiveDepth,
    StirrupArea,
    CompressionSteelDepth,
    FlangeWidth,
    FlangeDepth,
}

/// <summary>A parameter's name and range. The range is part of the service: the design library itself allows more.</summary>
internal sealed class BeamParameterRule
{
    private BeamParameterRule(string name, double min, double max, string unit, bool aboveMin = false)
    {
        Name = name;
        Min = min;
        Max = max;
        IsAboveMin = aboveMin;
        RangeMessage = aboveMin
            ? string.Create(CultureInfo.InvariantCulture, $"must be greater than {min} and at most {max} {unit}")
            : string.Create(CultureInfo.InvariantCulture, $"must be between {min} and {max} {unit}");
    }

    /// <summary>A moment or shear beyond this is no beam's, and would only produce numbers too large to write.</summary>
    public const double MaxAction = 1_000_000_000;

    public string Name { get; }

    public double Min { get; }

    public double Max { get; }

    public bool IsAboveMin { get; }

    public string RangeMessage { get; }

    // In the order of BeamParameter.
    private static readonly BeamParameterRule[] Rules =
    [
        new("width", 100, 2000, "mm"),
        new("depth", 150, 3000, "mm"),
        new("moment", 0, MaxAction, "kN.m"),
        new("shear", 0, MaxAction, "kN"),
        new("fck", 15, 80, "N/mm2"),
        new("fy", 250, 550, "N/mm2"),
        new("cover", 20, 75, "mm"),
        new("stirrup_dia_mm", 6, 16, "mm"),
        new("main_bar_dia_mm", 8, 36, "mm"),
        new("effective_depth", 20, 3000, "mm"),
        new("asv", 0, 5000, "mm2", aboveMin: true),
        new("dd", 0, 5000, "mm", aboveMin: true),
        new("flange_width", 0, 5000, "mm", aboveMin: true),
        new("flange_depth", 0, 3000, "mm", aboveMin: true),
    ];

    public static BeamParameterRule Of(BeamParameter parameter) => Rules[(int)parameter];

    public bool Allows(double value) => value <= Max && (IsAboveMin ? value > Min : value >= Min);

    /// <summary>The parameter of that name, or null.</summary>
    public static BeamParameter? Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => name.SequenceEqual("fy"u8) ? BeamParameter.Fy : name.SequenceEqual("dd"u8) ? BeamParameter.CompressionSteelDepth : null,
        3 => name.SequenceEqual("fck"u8) ? BeamParameter.Fck : name.SequenceEqual("asv"u8) ? BeamParameter.StirrupArea : null,
        5 => FindFive(name),
        6 => name.SequenceEqual("moment"u8) ? BeamParameter.Moment : null,
        12 => name.SequenceEqual("flange_width"u8) ? BeamParameter.FlangeWidth
            : name.SequenceEqual("flange_depth"u8) ? BeamParameter.FlangeDepth : null,
        14 => name.SequenceEqual("stirrup_dia_mm"u8) ? BeamParameter.StirrupDiameter : null,
        15 => name.SequenceEqual("main_bar_dia_mm"u8) ? BeamParameter.MainBarDiameter
            : name.SequenceEqual("effective_depth"u8) ? BeamParameter.EffectiveDepth : null,
        _ => null,
    };

    private static BeamParameter? FindFive(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("width"u8) => BeamParameter.Width,
        _ when name.SequenceEqual("depth"u8) => BeamParameter.Depth,
        _ when name.SequenceEqual("shear"u8) => BeamParameter.Shear,
        _ when name.SequenceEqual("cover"u8) => BeamParameter.Cover,
        _ => null,
    };
}
