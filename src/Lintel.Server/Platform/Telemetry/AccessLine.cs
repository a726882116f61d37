using System.Collections;
using System.Text.Json;

namespace Lintel.Platform.Telemetry;

/// <summary>The two lines that every request writes. The path comes without its query, which may hold credentials.</summary>
internal readonly struct AccessLine(string requestId, string method, string path, int? status = null, double durationMs = 0)
    : ILogFields, IReadOnlyList<KeyValuePair<string, object?>>
{
    private const int MaxPath = 1024;

    public string Message => status is null ? "Request started" : "Request finished";

    public string RequestId => requestId;

    public int Count => status is null ? 2 : 4;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("method", method),
        1 => new("path", path),
        2 => new("status_code", status),
        3 => new("duration_ms", durationMs),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteString("method"u8, method);
        json.WriteString("path"u8, path.Length <= MaxPath ? path : path.AsSpan(0, MaxPath));
        if (status is { } code)
        {
            json.WriteNumber("status_code"u8, code);
            json.WriteNumber("duration_ms"u8, Math.Round(durationMs, 3));
        }
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
