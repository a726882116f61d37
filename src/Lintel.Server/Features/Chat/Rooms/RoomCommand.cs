using System.Text;
using System.Text.Json;

namespace Lintel.Features.Chat.Rooms;

/// <summary>What a client sent in a room: a command, or text to say.</summary>
/// <param name="Type">The command; <c>message</c> for plain text. Null for a command without a name that is text.</param>
internal readonly record struct RoomCommand(string? Type, string? Message, string? MessageId)
{
    /// <summary>A JSON object with a <c>type</c> is a command; everything else is what the user says, as it is.</summary>
    public static RoomCommand Read(ReadOnlySpan<byte> frame)
    {
        if (frame.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && TryRead(frame, out var command))
        {
            return command;
        }

        return new RoomCommand(ChatEvents.Message, Encoding.UTF8.GetString(frame), null);
    }

    private static bool TryRead(ReadOnlySpan<byte> frame, out RoomCommand command)
    {
        command = default;
        try
        {
            var reader = new Utf8JsonReader(frame);
            reader.Read();
            string? type = null, message = null, messageId = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("type"u8))
                {
                    type = TextOrNull(ref reader);
                }
                else if (reader.ValueTextEquals("message"u8))
                {
                    message = TextOrNull(ref reader);
                }
                else if (reader.ValueTextEquals("message_id"u8))
                {
                    messageId = TextOrNull(ref reader);
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }

            command = new RoomCommand(type, message, messageId);

            // Anything after the object makes it text.
            return type is not null && !reader.Read();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // No JSON, or a string that no text can be (half of a surrogate pair).
            return false;
        }
    }

    private static string? TextOrNull(ref Utf8JsonReader reader)
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
