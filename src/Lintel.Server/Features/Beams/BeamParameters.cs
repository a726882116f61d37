using System.Text.Json;
using System.Text.Unicode;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>One beam as a client describes it: read in one pass, with every bad field named and the beam's own JSON kept for the echo.</summary>
internal ref struct BeamParameters
{
    /// <summary>A beam larger than this is refused: its results would carry all of it along.</summary>
    public const int MaxBytes = 16 * 1024;

    private ReadOnlySpan<byte> _id;
    private ReadOnlySpan<byte> _beamId;
    private ReadOnlySpan<byte> _memberId;
    private FieldErrors _errors;

    /// <summary>The section to design; default when there are errors.</summary>
    public BeamSection Section { get; private set; }

    /// <summary>The factored actions; default when there are errors.</summary>
    public BeamActions Actions { get; private set; }

    /// <summary>The beam's JSON as it was sent; empty when it must not be echoed.</summary>
    public ReadOnlySpan<byte> Json { get; private set; }

    /// <summary>The beam's identifier as a JSON token, as it was sent; empty when it has none.</summary>
    public readonly ReadOnlySpan<byte> Id => _id.IsEmpty ? _beamId.IsEmpty ? _memberId : _beamId : _id;

    /// <summary>Everything wrong with the beam. When there is anything, there is nothing to design.</summary>
    public readonly FieldErrors Errors => _errors;

    /// <summary>Reads the beam at whose first token <paramref name="reader"/> stands, and leaves it at the beam's last.</summary>
    /// <param name="reader">Reads <paramref name="json"/> from its start, in one piece.</param>
    /// <param name="json">The text that the reader reads.</param>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static BeamParameters Read(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var beam = default(BeamParameters);
        var start = (int)reader.TokenStartIndex;

        if (reader.TokenType == JsonTokenType.StartObject)
        {
            beam.ReadFields(ref reader, json);
        }
        else
        {
            reader.Skip();
            beam._errors.Add("beam", "A beam must be a JSON object");
        }

        beam.Keep(json[start..(int)reader.BytesConsumed]);
        return beam;
    }

    /// <summary>Reads text that is one beam and nothing else.</summary>
    /// <inheritdoc cref="Read(ref Utf8JsonReader, ReadOnlySpan{byte})"/>
    public static BeamParameters Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var beam = Read(ref reader, json);

        // Throws when anything but white space follows.
        reader.Read();
        return beam;
    }

    /// <summary>Designs the beam, which must have no <see cref="Errors"/>.</summary>
    public readonly BeamDesign Design() =>
        !_errors.Any && Beam.TryDesign(Section, Actions, out var design, out var problems)
            ? design
            : throw new InvalidOperationException($"The beam has errors: {_errors.Message}");

    private void ReadFields(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var values = new BeamParameterValues();
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonInput.Name(reader, buffer);
            var parameter = BeamParameterRule.Find(name);
            var identifier = parameter is null ? IdentifierName(name) : null;
            reader.Read();

            if (parameter is { } known)
            {
                values.Read(ref reader, known, ref _errors);
            }
            else if (identifier is not null)
            {
                ReadIdentifier(ref reader, json, identifier);
            }
            else
            {
                reader.Skip();
            }
        }

        Section = values.ToSection(ref _errors);

        if (!_errors.Any)
        {
            Actions = new BeamActions(values[BeamParameter.Moment], values[BeamParameter.Shear]);
        }
    }

    private static string? IdentifierName(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("id"u8) => "id",
        _ when name.SequenceEqual("beam_id"u8) => "beam_id",
        _ when name.SequenceEqual("member_id"u8) => "member_id",
        _ => null,
    };

    private void ReadIdentifier(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string name)
    {
        _errors.Clear(name);

        if (!JsonInput.TryReadIdentifier(ref reader, json, out var token, out var problem))
        {
            _errors.Add(name, problem);
        }

        switch (name)
        {
            case "id":
                _id = token;
                break;
            case "beam_id":
                _beamId = token;
                break;
            default:
                _memberId = token;
                break;
        }
    }

    private void Keep(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            _errors.Add("beam", "A beam must not be larger than 16 KB");
        }
        else if (!Utf8.IsValid(json))
        {
            // What is echoed to a socket must be text; so must the identifier.
            _errors.Add("beam", "A beam must be valid UTF-8");
            _id = _beamId = _memberId = default;
        }
        else
        {
            Json = json;
        }
    }
}
