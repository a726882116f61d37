using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lintel.Platform.Telemetry;

/// <summary>A log state that writes its own fields, for lines that every request makes: no boxing, no composed message.</summary>
internal interface ILogFields
{
    string Message { get; }

    string? RequestId { get; }

    void WriteTo(Utf8JsonWriter json);
}

internal sealed class JsonLogger(string category, LogSink sink, TimeProvider time) : ILogger
{
    private const string Template = "{OriginalFormat}";

    private readonly JsonEncodedText _name = JsonEncodedText.Encode(category, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    // Fields that must be on many lines are written into them; scopes would cost every request.
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel == LogLevel.None)
        {
            return;
        }

        LogLine? line = null;
        try
        {
            line = state is ILogFields own
                ? Write(logLevel, own)
                : Write(logLevel, state, exception, formatter);
            if (exception is not null)
            {
                line.WriteException(exception);
            }

            sink.Write(line.End(), logLevel >= LogLevel.Error);
            line.Return();
        }
        catch (Exception failure) when (line is null || failure is not OutOfMemoryException)
        {
            // A value whose ToString throws must not fail the request that logs it; the half-written line is left to the collector.
            var report = LogLine.Begin(time.GetUtcNow(), LogLevel.Warning, _name, "A log line could not be written.", RequestId.Current);
            report.WriteException(failure);
            sink.Write(report.End(), isUrgent: false);
            report.Return();
        }
    }

    private LogLine Write(LogLevel level, ILogFields fields)
    {
        var line = LogLine.Begin(time.GetUtcNow(), level, _name, fields.Message, fields.RequestId);
        fields.WriteTo(line.Json);
        return line;
    }

    private LogLine Write<TState>(LogLevel level, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var fields = state as IReadOnlyList<KeyValuePair<string, object?>>;

        // A message is composed of the fields' values, so where one of them is secret the template stands in for it.
        var message = (fields is null ? null : SecretTemplate(fields)) ?? formatter(state, exception);
        var line = LogLine.Begin(time.GetUtcNow(), level, _name, message, RequestId.Current);
        for (var i = 0; i < fields?.Count; i++)
        {
            var (name, value) = fields[i];
            if (name != Template)
            {
                line.WriteField(FieldName.Of(name), value);
            }
        }

        return line;
    }

    private static string? SecretTemplate(IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        string? template = null;
        var isSecret = false;
        for (var i = 0; i < fields.Count; i++)
        {
            var (name, value) = fields[i];
            if (name == Template)
            {
                template = value as string;
            }
            else
            {
                isSecret |= FieldName.Of(name).IsSecret;
            }
        }

        return isSecret ? template ?? "(withheld)" : null;
    }
}
