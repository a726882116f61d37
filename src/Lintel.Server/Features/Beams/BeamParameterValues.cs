using System.Runtime.CompilerServices;
using System.Text.Json;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>The numbers of a beam as they are read, each checked against its own range; then, together, the section they make.</summary>
internal struct BeamParameterValues
{
    // What older clients rely on when they leave a field out.
    private const double DefaultStirrup = 8;
    private const double DefaultMainBar = 20;
    private const double DefaultCompressionSteelDepth = 50;
    private const double MaxDepthToWidth = 6;

    private Numbers _numbers;
    private uint _given;
    private uint _bad;

    public BeamParameterValues()
    {
        this[BeamParameter.Width] = 300;
        this[BeamParameter.Depth] = 500;
        this[BeamParameter.Moment] = 100;
        this[BeamParameter.Shear] = 50;
        this[BeamParameter.Fck] = 25;
        this[BeamParameter.Fy] = 500;
        this[BeamParameter.Cover] = 40;
        this[BeamParameter.StirrupDiameter] = DefaultStirrup;
        this[BeamParameter.MainBarDiameter] = DefaultMainBar;
        this[BeamParameter.StirrupArea] = 100;
    }

    public double this[BeamParameter parameter]
    {
        readonly get => _numbers[(int)parameter];
        private set => _numbers[(int)parameter] = value;
    }

    /// <summary>Reads the value at which the reader stands, all of it whatever it is.</summary>
    public void Read(scoped ref Utf8JsonReader reader, BeamParameter parameter, ref FieldErrors errors)
    {
        var rule = BeamParameterRule.Of(parameter);
        var bit = 1u << (int)parameter;

        if ((_given & bit) != 0)
        {
            errors.Clear(rule.Name);
            _bad &= ~bit;
        }

        _given |= bit;

        if (JsonInput.TryReadNumber(ref reader, out var value, out var problem))
        {
            this[parameter] = value;

            if (rule.Allows(value))
            {
                return;
            }

            problem = rule.RangeMessage;
        }

        _bad |= bit;
        errors.Add(rule.Name, problem);
    }

    /// <summary>The section, when nothing is wrong; what the numbers contradict each other in is added to <paramref name="errors"/>.</summary>
    public readonly BeamSection ToSection(ref FieldErrors errors)
    {
        CheckRelations(ref errors);

        if (errors.Any)
        {
            return default;
        }

        var depth = this[BeamParameter.Depth];
        var (effective, compression) = BarDepths(depth);

        return new BeamSection
        {
            Width = this[BeamParameter.Width],
            Depth = depth,
            EffectiveDepth = Has(BeamParameter.EffectiveDepth) ? this[BeamParameter.EffectiveDepth] : effective,
            CompressionSteelDepth = Has(BeamParameter.CompressionSteelDepth) ? this[BeamParameter.CompressionSteelDepth] : compression,
            ConcreteStrength = this[BeamParameter.Fck],
            SteelStrength = this[BeamParameter.Fy],
            StirrupArea = this[BeamParameter.StirrupArea],
            FlangeWidth = this[BeamParameter.FlangeWidth],
            FlangeDepth = this[BeamParameter.FlangeDepth],
        };
    }

    /// <summary>
    /// Effective depth and depth of the compression steel. With a bar size: cover, stirrup and half a bar. Without: older clients'
    /// rule, which takes off cover and an 8 mm stirrup and has the compression steel at 50 mm.
    /// </summary>
    private readonly (double Effective, double Compression) BarDepths(double depth)
    {
        var cover = this[BeamParameter.Cover];

        if (!Has(BeamParameter.StirrupDiameter) && !Has(BeamParameter.MainBarDiameter))
        {
            return (depth - cover - DefaultStirrup, DefaultCompressionSteelDepth);
        }

        var bars = cover + this[BeamParameter.StirrupDiameter] + this[BeamParameter.MainBarDiameter] / 2;
        return (depth - bars, bars);
    }

    private readonly void CheckRelations(ref FieldErrors errors)
    {
        if (AreGood(BeamParameter.Width, BeamParameter.Depth) && this[BeamParameter.Depth] > MaxDepthToWidth * this[BeamParameter.Width])
        {
            errors.Add("depth", "must not be more than 6 times the width");
        }

        CheckBelowDepth(BeamParameter.EffectiveDepth, ref errors);
        CheckBelowDepth(BeamParameter.FlangeDepth, ref errors);

        if (Has(BeamParameter.FlangeWidth) != Has(BeamParameter.FlangeDepth))
        {
            errors.Add(Has(BeamParameter.FlangeWidth) ? "flange_depth" : "flange_width", "is required for a flanged beam");
        }
        else if (Has(BeamParameter.FlangeWidth) && AreGood(BeamParameter.FlangeWidth, BeamParameter.Width)
            && this[BeamParameter.FlangeWidth] < this[BeamParameter.Width])
        {
            errors.Add("flange_width", "must not be less than the width");
        }
    }

    private readonly void CheckBelowDepth(BeamParameter parameter, ref FieldErrors errors)
    {
        if (Has(parameter) && AreGood(parameter, BeamParameter.Depth) && this[parameter] >= this[BeamParameter.Depth])
        {
            errors.Add(BeamParameterRule.Of(parameter).Name, "must be less than the depth");
        }
    }

    private readonly bool Has(BeamParameter parameter) => (_given & 1u << (int)parameter) != 0;

    private readonly bool AreGood(BeamParameter one, BeamParameter other) => (_bad & (1u << (int)one | 1u << (int)other)) == 0;

    [InlineArray(14)]
    private struct Numbers
    {
        private double _first;
    }
}
