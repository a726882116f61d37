using System.Text;
using System.Text.Json;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams.Live;

/// <summary>What a message on the live socket asks for.</summary>
internal enum BeamMessageType
{
    Unknown,
    DesignBeam,
    CheckBeam,
    Ping,

    /// <summary>New credentials for the socket; none of the beams' business.</summary>
    Auth,
}

/// <summary>A message on the live socket, taken apart as far as its type: <c>{"type":…,"params":{…}}</c>.</summary>
internal readonly ref struct BeamMessage
{
    private readonly ReadOnlySpan<byte> _name;
    private readonly ReadOnlySpan<byte> _params;

    private BeamMessage(BeamMessageType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> parameters)
    {
        Type = type;
        _name = name;
        _params = parameters;
    }

    public BeamMessageType Type { get; }

    /// <summary>The JSON of <c>params</c>; an empty object when the message has none.</summary>
    public ReadOnlySpan<byte> Params => _params.IsEmpty ? "{}"u8 : _params;

    /// <summary>Answer to a message whose type is unknown: <c>Unknown message type: x</c>.</summary>
    public string UnknownTypeMessage
    {
        get
        {
            const int Longest = 64;
            var shown = _name.Length <= Longest ? _name : _name[..Longest];
            return $"Unknown message type: {(shown.IsEmpty ? "unknown" : Encoding.UTF8.GetString(shown))}";
        }
    }

    /// <summary>Takes a message apart.</summary>
    /// <returns>False when the text is not JSON. Any JSON is a message, be it of unknown type.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, out BeamMessage message)
    {
        message = default;
        var reader = new Utf8JsonReader(json);

        try
        {
            reader.Read();

            if (reader.TokenType == JsonTokenType.StartObject)
            {
                message = ReadMembers(ref reader, json);
            }
            else
            {
                reader.Skip();
            }

            // Throws when anything but white space follows.
            reader.Read();
            return true;
        }
        catch (JsonException)
        {
            message = default;
            return false;
        }
    }

    private static BeamMessage ReadMembers(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var type = BeamMessageType.Unknown;
        ReadOnlySpan<byte> typeName = default;
        ReadOnlySpan<byte> parameters = default;
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonInput.Name(reader, buffer);
            var isType = name.SequenceEqual("type"u8);
            var isParams = name.SequenceEqual("params"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;

            if (isType)
            {
                var isText = reader.TokenType == JsonTokenType.String;
                typeName = isText ? reader.ValueSpan : default;
                type = isText ? Find(JsonInput.Name(reader, buffer)) : BeamMessageType.Unknown;
            }

            reader.Skip();

            if (isParams)
            {
                parameters = json[start..(int)reader.BytesConsumed];
            }
        }

        return new BeamMessage(type, typeName, parameters);
    }

    private static BeamMessageType Find(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("design_beam"u8) => BeamMessageType.DesignBeam,
        _ when name.SequenceEqual("check_beam"u8) => BeamMessageType.CheckBeam,
        _ when name.SequenceEqual("ping"u8) => BeamMessageType.Ping,
        _ when name.SequenceEqual("auth"u8) => BeamMessageType.Auth,
        _ => BeamMessageType.Unknown,
    };
}
