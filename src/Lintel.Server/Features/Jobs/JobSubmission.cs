using System.Text.Json;
using System.Text.Unicode;

namespace Lintel.Features.Jobs;

/// <summary>A submission's body, read without building a tree: inputs may be many megabytes.</summary>
/// <param name="Input">The input's own JSON text; empty when it is missing.</param>
internal readonly record struct JobSubmission(string? Kind, ReadOnlyMemory<byte> Input)
{
    /// <exception cref="JsonException">The body is not JSON or, with the path <c>$</c>, is not an object.</exception>
    public static JobSubmission Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw new JsonException("The body must be UTF-8.");
        }

        try
        {
            return ReadObject(body);
        }
        catch (InvalidOperationException failure)
        {
            throw new JsonException("A text has half of a surrogate pair.", failure);
        }
    }

    private static JobSubmission ReadObject(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            // JSON as far as it goes: what is malformed further on is told first, with its place.
            while (reader.Read())
            {
            }

            throw new JsonException(null, path: "$", lineNumber: null, bytePositionInLine: null);
        }

        string? kind = null;
        var input = ReadOnlyMemory<byte>.Empty;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("kind"u8))
            {
                reader.Read();
                kind = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("input"u8))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                input = body[start..(int)reader.BytesConsumed];
            }
            else
            {
                reader.Skip();
            }
        }

        // What follows the object is an error too.
        reader.Read();
        return new JobSubmission(kind, input);
    }
}
