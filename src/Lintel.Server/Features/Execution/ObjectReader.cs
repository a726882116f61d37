using System.Globalization;
using System.Text.Json;
using Lintel.Platform.Json;

namespace Lintel.Features.Execution;

/// <summary>A JSON value whose parts are read by name; what is wrong with one is noted under its path.</summary>
/// <param name="Path">Where the value stands in the request; empty for the request itself.</param>
internal readonly record struct ObjectReader(JsonElement Value, string Path)
{
    public bool IsObject => Value.ValueKind == JsonValueKind.Object;

    /// <summary>Whether it is there, null or not.</summary>
    public bool Has(string name, ref FieldErrors errors) => TryFind(name, out _, ref errors);

    /// <summary>A text; null when it is absent, null or wrong.</summary>
    public string? Text(string name, ref FieldErrors errors) => Find(name, ref errors) is { } found ? found.Text(ref errors) : null;

    /// <summary>This value as a text.</summary>
    public string? Text(ref FieldErrors errors)
    {
        if (Value.ValueKind != JsonValueKind.String)
        {
            errors.Add(Path, "Must be a text.");
            return null;
        }

        try
        {
            return Value.GetString();
        }
        catch (InvalidOperationException)
        {
            // JSON by its grammar, but half of a surrogate pair or no UTF-8.
            errors.Add(Path, "Must be valid Unicode.");
            return null;
        }
    }

    public bool Flag(string name, ref FieldErrors errors)
    {
        if (Find(name, ref errors) is not { } found)
        {
            return false;
        }

        if (found.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            errors.Add(found.Path, "Must be true or false.");
        }

        return found.Value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A number that is at least <paramref name="least"/>; null when it is absent, null or wrong.</summary>
    public double? Number(string name, double least, ref FieldErrors errors)
    {
        if (Find(name, ref errors) is not { } found)
        {
            return null;
        }

        if (found.Value.ValueKind == JsonValueKind.Number && found.Value.TryGetDouble(out var number) && double.IsFinite(number) && number >= least)
        {
            return number;
        }

        errors.Add(found.Path, string.Create(CultureInfo.InvariantCulture, $"Must be a number of at least {least}."));
        return null;
    }

    public int Integer(string name, int least, int most, ref FieldErrors errors)
    {
        if (Find(name, ref errors) is { Value.ValueKind: JsonValueKind.Number } found && found.Value.TryGetInt32(out var number) && number >= least && number <= most)
        {
            return number;
        }

        errors.Add(Below(name), string.Create(CultureInfo.InvariantCulture, $"Must be a whole number from {least} to {most}."));
        return least;
    }

    public ObjectReader? Object(string name, ref FieldErrors errors)
    {
        if (Find(name, ref errors) is not { } found)
        {
            return null;
        }

        if (found.IsObject)
        {
            return found;
        }

        errors.Add(found.Path, "Must be an object.");
        return null;
    }

    /// <summary>The items of an array; none when it is absent, null or wrong.</summary>
    public List<ObjectReader> Items(string name, int most, ref FieldErrors errors)
    {
        if (Find(name, ref errors) is not { } found)
        {
            return [];
        }

        if (found.Value.ValueKind != JsonValueKind.Array)
        {
            errors.Add(found.Path, "Must be an array.");
            return [];
        }

        if (found.Value.GetArrayLength() > most)
        {
            errors.Add(found.Path, string.Create(CultureInfo.InvariantCulture, $"Must have at most {most} items."));
            return [];
        }

        return [.. found.Value.EnumerateArray().Select((item, index) => new ObjectReader(item, string.Create(CultureInfo.InvariantCulture, $"{found.Path}[{index}]")))];
    }

    private ObjectReader? Find(string name, ref FieldErrors errors) =>
        TryFind(name, out var value, ref errors) && value.ValueKind != JsonValueKind.Null ? new ObjectReader(value, Below(name)) : null;

    private bool TryFind(string name, out JsonElement value, ref FieldErrors errors)
    {
        try
        {
            return Value.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException)
        {
            // A name beside it is JSON by its grammar, but half of a surrogate pair; every look past it ends here.
            value = default;
            var path = Path.Length == 0 ? "body" : Path;
            if (!errors.Has(path))
            {
                errors.Add(path, "Must have names that are valid Unicode.");
            }

            return false;
        }
    }

    private string Below(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
