using System.Text.Json;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams.Reports;

/// <summary>The numbers that a beam was designed with: those it was sent with, and defaults in the place of those it was not.</summary>
internal readonly struct DesignedBeamInput
{
    private readonly BeamParameterValues _values;
    private readonly uint _given;

    /// <summary>Reads a beam that was designed, so there is nothing wrong with it.</summary>
    /// <param name="json">The beam as it was sent.</param>
    public DesignedBeamInput(ReadOnlySpan<byte> json)
    {
        _values = new BeamParameterValues();
        var errors = default(FieldErrors);
        var reader = new Utf8JsonReader(json);
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var parameter = BeamParameterRule.Find(JsonInput.Name(reader, buffer));
            reader.Read();
            if (parameter is { } known)
            {
                _values.Read(ref reader, known, ref errors);
                _given |= 1u << (int)known;
            }
            else
            {
                reader.Skip();
            }
        }

        Section = _values.ToSection(ref errors);
        if (errors.Any)
        {
            throw new InvalidOperationException($"A beam that was designed has errors: {errors.Message}");
        }
    }

    public double this[BeamParameter parameter] => _values[parameter];

    public BeamSection Section { get; }

    public bool Has(BeamParameter parameter) => (_given & 1u << (int)parameter) != 0;

    /// <summary>Whether the design rests on a value that the beam was not sent with.</summary>
    public bool IsDefault(BeamParameter parameter) => !Has(parameter) && parameter switch
    {
        BeamParameter.FlangeWidth or BeamParameter.FlangeDepth => false,
        BeamParameter.Cover => IsCoverUsed,
        BeamParameter.StirrupDiameter or BeamParameter.MainBarDiameter => HasBars && IsDepthDerived,
        BeamParameter.EffectiveDepth or BeamParameter.CompressionSteelDepth => !HasBars,
        _ => true,
    };

    /// <summary>Whether the cover was given, or the depth of any bars comes from it.</summary>
    public bool HasCover => Has(BeamParameter.Cover) || IsCoverUsed;

    private bool HasBars => Has(BeamParameter.StirrupDiameter) || Has(BeamParameter.MainBarDiameter);

    private bool IsDepthDerived => !Has(BeamParameter.EffectiveDepth) || !Has(BeamParameter.CompressionSteelDepth);

    // Without bars the depth of the compression steel is a number of its own.
    private bool IsCoverUsed => HasBars ? IsDepthDerived : !Has(BeamParameter.EffectiveDepth);
}
