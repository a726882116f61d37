using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lintel.Is456;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams;

/// <summary>The <c>cases</c> of a check: <c>[{"case_id", "mu_knm", "vu_kn", "ast_mm2_for_shear"?}]</c>.</summary>
internal sealed class LoadCases
{
    private readonly List<BeamActions> _actions = [];
    private readonly List<(int Start, int Length)> _ids = [];
    private FieldErrors _errors;

    public ReadOnlySpan<BeamActions> Actions => CollectionsMarshal.AsSpan(_actions);

    public int Count => _actions.Count;

    /// <summary>Where the case's name stands in the text, with its quotes; of length 0 when it has none.</summary>
    public (int Start, int Length) Id(int index) => _ids[index];

    /// <summary>Reads the value of <c>cases</c>, all of it whatever it is. A second one replaces the first.</summary>
    public void Read(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        _actions.Clear();
        _ids.Clear();
        _errors = default;

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            if (reader.TokenType != JsonTokenType.Null)
            {
                _errors.Add("cases", "must be an array");
            }

            reader.Skip();
            return;
        }

        var index = 0;

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (index == CheckParameters.MaxCases)
            {
                _errors.Add("cases", "must not have more than 1000 entries");
            }

            if (index >= CheckParameters.MaxCases)
            {
                reader.Skip();
            }
            else
            {
                ReadCase(ref reader, json, index);
            }

            index++;
        }
    }

    /// <summary>Hands on what is wrong with the cases, their absence included.</summary>
    public void Report(ref FieldErrors errors)
    {
        foreach (var error in _errors.All)
        {
            errors.Add(error.Field, error.Message);
        }

        if (_actions.Count == 0 && !_errors.Any)
        {
            errors.Add("cases", "No load cases provided");
        }
    }

    private void ReadCase(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int index)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            _errors.Add($"cases[{index}]", "must be an object");
            return;
        }

        double? moment = null;
        double? shear = null;
        double? steel = null;
        var id = (Start: 0, Length: 0);
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonInput.Name(reader, buffer);

            if (name.SequenceEqual("mu_knm"u8))
            {
                moment = ReadNumber(ref reader, index, "mu_knm", -BeamParameterRule.MaxAction, moment);
            }
            else if (name.SequenceEqual("vu_kn"u8))
            {
                shear = ReadNumber(ref reader, index, "vu_kn", -BeamParameterRule.MaxAction, shear);
            }
            else if (name.SequenceEqual("ast_mm2_for_shear"u8))
            {
                steel = ReadNumber(ref reader, index, "ast_mm2_for_shear", 0, steel);
            }
            else if (name.SequenceEqual("case_id"u8))
            {
                id = ReadId(ref reader, json, index);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        Require(moment, index, "mu_knm");
        Require(shear, index, "vu_kn");
        _actions.Add(new BeamActions(moment ?? 0, shear ?? 0) { ProvidedTensionSteel = steel });
        _ids.Add(id);
    }

    /// <returns>The number, or NaN when it is a bad one: it was given all the same.</returns>
    private double ReadNumber(scoped ref Utf8JsonReader reader, int index, string name, double min, double? earlier)
    {
        if (earlier is not null)
        {
            _errors.Clear(Field(index, name));
        }

        reader.Read();

        if (JsonInput.TryReadNumber(ref reader, out var value, out var problem))
        {
            if (value >= min && value <= BeamParameterRule.MaxAction)
            {
                return value;
            }

            problem = string.Create(CultureInfo.InvariantCulture, $"must be between {min} and {BeamParameterRule.MaxAction}");
        }

        _errors.Add(Field(index, name), problem);
        return double.NaN;
    }

    private (int Start, int Length) ReadId(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int index)
    {
        reader.Read();

        if (!JsonInput.TryReadIdentifier(ref reader, json, out var token, out var problem))
        {
            _errors.Add(Field(index, "case_id"), problem);
        }

        return token.IsEmpty ? (0, 0) : ((int)reader.TokenStartIndex, token.Length);
    }

    private void Require(double? value, int index, string name)
    {
        if (value is null)
        {
            _errors.Add(Field(index, name), "is required");
        }
    }

    private static string Field(int index, string name) => $"cases[{index}].{name}";
}
