using System.Text.Json;
using System.Text.Unicode;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>One section and its load cases as a client describes them.</summary>
internal ref struct CheckParameters
{
    public const int MaxCases = 1_000;

    private FieldErrors _errors;
    private ReadOnlySpan<byte> _json;

    /// <summary>The section to check; default when there are errors.</summary>
    public BeamSection Section { get; private set; }

    /// <summary>The cases in the order they were sent; no more than those before the first error count.</summary>
    public LoadCases Cases { get; private set; }

    /// <summary>Everything wrong. When there is anything, there is nothing to check.</summary>
    public readonly FieldErrors Errors => _errors;

    /// <summary>The case's name as a JSON token, as it was sent; empty when it has none.</summary>
    public readonly ReadOnlySpan<byte> CaseId(int index)
    {
        var (start, length) = Cases.Id(index);
        return _json.Slice(start, length);
    }

    /// <inheritdoc cref="BeamParameters.Read(ref Utf8JsonReader, ReadOnlySpan{byte})"/>
    public static CheckParameters Read(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var check = new CheckParameters { _json = json, Cases = new LoadCases() };
        var start = (int)reader.TokenStartIndex;

        if (reader.TokenType == JsonTokenType.StartObject)
        {
            check.ReadFields(ref reader);
        }
        else
        {
            reader.Skip();
            check._errors.Add("params", "The parameters must be a JSON object");
        }

        if (!Utf8.IsValid(json[start..(int)reader.BytesConsumed]))
        {
            check._errors.Add("params", "The parameters must be valid UTF-8");
        }

        return check;
    }

    /// <inheritdoc cref="BeamParameters.Read(ReadOnlySpan{byte})"/>
    public static CheckParameters Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var check = Read(ref reader, json);
        reader.Read();
        return check;
    }

    private void ReadFields(scoped ref Utf8JsonReader reader)
    {
        var values = new BeamParameterValues();
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonInput.Name(reader, buffer);
            var isCases = name.SequenceEqual("cases"u8);
            var parameter = BeamParameterRule.Find(name);
            reader.Read();

            if (isCases)
            {
                Cases.Read(ref reader, _json);
            }
            else if (parameter is { } known and not (BeamParameter.Moment or BeamParameter.Shear))
            {
                values.Read(ref reader, known, ref _errors);
            }
            else
            {
                reader.Skip();
            }
        }

        Section = values.ToSection(ref _errors);
        Cases.Report(ref _errors);
    }
}
