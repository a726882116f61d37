using System.Text.Json;

namespace Lintel.Platform.Sockets;

/// <summary>What a read of a socket brought.</summary>
internal enum SocketRead
{
    /// <summary>A JSON message.</summary>
    Message,

    /// <summary>The connection is over: the client closed it, it broke, or the server has ended it for a breach of the protocol.</summary>
    Closed,
}

/// <summary>The parts of a message that every socket understands. Anything of the wrong type counts as absent.</summary>
internal readonly record struct SocketEnvelope(string? Type, string? Token, string? ApiKey)
{
    /// <summary>Reads the envelope of a JSON text; null when it is not JSON at all.</summary>
    public static SocketEnvelope? Read(ReadOnlySpan<byte> message)
    {
        try
        {
            var reader = new Utf8JsonReader(message);
            reader.Read();
            string? type = null, token = null, apiKey = null;
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    if (reader.ValueTextEquals("type"u8))
                    {
                        type = StringOrNull(ref reader);
                    }
                    else if (reader.ValueTextEquals("token"u8))
                    {
                        token = StringOrNull(ref reader);
                    }
                    else if (reader.ValueTextEquals("api_key"u8))
                    {
                        apiKey = StringOrNull(ref reader);
                    }
                    else
                    {
                        reader.Read();
                        reader.Skip();
                    }
                }
            }
            else
            {
                reader.Skip();
            }

            // Anything after the value makes it no JSON text.
            return reader.Read() ? null : new SocketEnvelope(type, token, apiKey);
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // A string that is not valid UTF-8 or UTF-16.
            return null;
        }
    }

    private static string? StringOrNull(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }
}
