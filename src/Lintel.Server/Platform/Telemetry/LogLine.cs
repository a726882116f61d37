using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lintel.Platform.Telemetry;

/// <summary>Writes one log line as JSON. One a thread, used again and again, so that a line leaves no garbage.</summary>
internal sealed class LogLine
{
    private const int MaxText = 8 * 1024;
    private const int MaxStack = 32 * 1024;
    private const int KeepCapacity = 64 * 1024;

    // Readable, and still one line: control characters, line separators, quotes and backslashes are escaped.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static LogLine? _idle;

    [ThreadStatic]
    private static LogTimestamp? _timestamp;

    private ArrayBufferWriter<byte> _buffer = new(1024);

    private LogLine() => Json = new(_buffer, Options);

    public Utf8JsonWriter Json { get; private set; }

    /// <summary>Writes the fields that every line has. Give the line back with <see cref="Return"/>.</summary>
    public static LogLine Begin(DateTimeOffset now, LogLevel level, JsonEncodedText name, ReadOnlySpan<char> message, string? requestId)
    {
        var line = _idle ?? new LogLine();

        // A value that logs while it is being written gets a line of its own.
        _idle = null;

        var json = line.Json;
        json.WriteStartObject();
        json.WriteString("timestamp"u8, (_timestamp ??= new()).Format(now));
        json.WriteString("level"u8, LevelName(level));
        json.WriteString("name"u8, name);
        json.WriteString("message"u8, Shorten(message, MaxText));
        if (requestId is null)
        {
            json.WriteNull("request_id"u8);
        }
        else
        {
            json.WriteString("request_id"u8, requestId);
        }

        return line;
    }

    public void WriteField(FieldName name, object? value)
    {
        if (name.IsSecret && value is not null)
        {
            Json.WriteString(name.Text, "***"u8);
            return;
        }

        switch (value)
        {
            case null:
                Json.WriteNull(name.Text);
                break;
            case string text:
                Json.WriteString(name.Text, Shorten(text, MaxText));
                break;
            case int number:
                Json.WriteNumber(name.Text, number);
                break;
            case long number:
                Json.WriteNumber(name.Text, number);
                break;
            case bool flag:
                Json.WriteBoolean(name.Text, flag);
                break;
            case double number when double.IsFinite(number):
                Json.WriteNumber(name.Text, number);
                break;
            case Guid id:
                Json.WriteString(name.Text, id);
                break;
            case DateTimeOffset at:
                Json.WriteString(name.Text, at.ToUniversalTime().UtcDateTime);
                break;
            case uint or short or ushort or byte or sbyte:
                Json.WriteNumber(name.Text, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case IFormattable formattable:
                Json.WriteString(name.Text, Shorten(formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture), MaxText));
                break;
            case IEnumerable<string> texts:
                Json.WriteString(name.Text, Shorten(string.Join(", ", texts), MaxText));
                break;
            default:
                Json.WriteString(name.Text, Shorten(value.ToString(), MaxText));
                break;
        }
    }

    public void WriteException(Exception failure)
    {
        Json.WriteString("exception"u8, failure.GetType().FullName);
        Json.WriteString("stack"u8, Shorten(failure.ToString(), MaxStack));
    }

    /// <summary>Ends the line; the bytes are good until <see cref="Return"/>.</summary>
    public ReadOnlySpan<byte> End()
    {
        Json.WriteEndObject();
        Json.Flush();
        _buffer.GetSpan(1)[0] = (byte)'\n';
        _buffer.Advance(1);
        return _buffer.WrittenSpan;
    }

    public void Return()
    {
        if (_buffer.Capacity > KeepCapacity)
        {
            _buffer = new(1024);
            Json.Dispose();
            Json = new(_buffer, Options);
        }
        else
        {
            _buffer.ResetWrittenCount();
            Json.Reset();
        }

        _idle = this;
    }

    private static ReadOnlySpan<byte> LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG"u8,
        LogLevel.Information => "INFO"u8,
        LogLevel.Warning => "WARNING"u8,
        _ => "ERROR"u8,
    };

    private static ReadOnlySpan<char> Shorten(ReadOnlySpan<char> text, int length) => text.Length <= length ? text : text[..length];
}
