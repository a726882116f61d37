using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Lintel.Infrastructure;

/// <summary>Takes the place of standard output: keeps every log line, parsed, and wakes those who wait for one.</summary>
public sealed class CapturedLogStream : Stream
{
    private readonly ConcurrentQueue<JsonElement> _lines = [];
    private readonly MemoryStream _partial = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyCollection<JsonElement> Lines => _lines;

    /// <summary>Everything as it was written.</summary>
    public string Text => string.Join('\n', _lines.Select(static line => line.GetRawText()));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The first line, past or future, that <paramref name="matches"/>.</summary>
    public async Task<JsonElement> WaitForAsync(Func<JsonElement, bool> matches, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrival;
            lock (_gate)
            {
                arrival = _arrival.Task;
            }

            foreach (var line in _lines)
            {
                if (matches(line))
                {
                    return line;
                }
            }

            await arrival.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The lines of one request, once it has finished.</summary>
    public async Task<JsonElement[]> OfRequestAsync(string requestId, CancellationToken cancellationToken)
    {
        await WaitForAsync(line => IsOf(line, requestId) && line.GetProperty("message").GetString() == "Request finished", cancellationToken);
        return [.. _lines.Where(line => IsOf(line, requestId))];
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        lock (_gate)
        {
            for (var i = offset; i < offset + count; i++)
            {
                if (buffer[i] == '\n')
                {
                    _lines.Enqueue(Parse(_partial.ToArray()));
                    _partial.SetLength(0);
                }
                else
                {
                    _partial.WriteByte(buffer[i]);
                }
            }

            _arrival.TrySetResult();
            _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static bool IsOf(JsonElement line, string requestId) =>
        line.TryGetProperty("request_id", out var id) && id.ValueKind == JsonValueKind.String && id.GetString() == requestId;

    // A line that is no JSON must fail the test that looks at it, not the thread that writes it.
    private static JsonElement Parse(byte[] line)
    {
        try
        {
            return JsonDocument.Parse(line).RootElement;
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["message"] = "NOT JSON",
                ["line"] = Encoding.UTF8.GetString(line),
            });
        }
    }
}
