using System.Text.Json;

namespace Lintel.Platform.Json;

/// <summary>Reading hostile JSON field by field: whatever a value is, it is consumed whole, and nothing throws once the text is JSON.</summary>
internal static class JsonInput
{
    /// <summary>Room that <see cref="Name"/> needs; the longest name we know is half of it.</summary>
    public const int NameLength = 64;

    /// <summary>The longest identifier, in bytes as sent, that is carried into results.</summary>
    public const int MaxIdentifier = 512;

    /// <summary>The property's name (or a short text), unescaped into <paramref name="buffer"/> where it has escapes; empty when it can be none of ours.</summary>
    public static ReadOnlySpan<byte> Name(in Utf8JsonReader reader, Span<byte> buffer)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        return reader.ValueSpan.Length <= buffer.Length && TryUnescape(reader, buffer, out var length) ? buffer[..length] : [];
    }

    /// <summary>Reads the number at which the reader stands; otherwise skips the value and says what is wrong.</summary>
    public static bool TryReadNumber(scoped ref Utf8JsonReader reader, out double value, out string problem)
    {
        value = 0;

        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            problem = "must be a number";
            return false;
        }

        problem = "must be a finite number";
        return reader.TryGetDouble(out value) && double.IsFinite(value);
    }

    /// <summary>
    /// Reads an identifier, text or number, and keeps it as it was sent (with its quotes). Null and empty text are no identifier.
    /// </summary>
    /// <param name="reader">Reads <paramref name="json"/> from its start, in one piece.</param>
    public static bool TryReadIdentifier(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, out ReadOnlySpan<byte> token, out string problem)
    {
        token = default;
        problem = "";

        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return true;
            case JsonTokenType.Number or JsonTokenType.String when reader.ValueSpan.Length > MaxIdentifier:
                problem = "must not be longer than 512 bytes";
                return false;
            case JsonTokenType.String when !IsText(reader):
                problem = "must be valid text";
                return false;
            case JsonTokenType.Number or JsonTokenType.String:
                token = reader.ValueSpan.IsEmpty ? default : json[(int)reader.TokenStartIndex..(int)reader.BytesConsumed];
                return true;
            default:
                reader.Skip();
                problem = "must be a string";
                return false;
        }
    }

    private static bool IsText(in Utf8JsonReader reader) =>
        !reader.ValueIsEscaped || TryUnescape(reader, stackalloc byte[MaxIdentifier], out _);

    private static bool TryUnescape(in Utf8JsonReader reader, Span<byte> buffer, out int length)
    {
        try
        {
            length = reader.CopyString(buffer);
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or no UTF-8: JSON by its grammar, but not text.
            length = 0;
            return false;
        }
    }
}
