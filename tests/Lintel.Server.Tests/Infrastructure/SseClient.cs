using System.Net;
using System.Text;
using System.Text.Json;

namespace Lintel.Infrastructure;

/// <param name="Id">Null when the event has no id; empty when it takes the reader's away.</param>
internal sealed record SseEvent(string? Id, string Kind, string Data)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;
}

/// <summary>Reads an event stream as a browser does.</summary>
internal sealed class SseClient : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private SseClient(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new StreamReader(body, Encoding.UTF8);
    }

    public HttpResponseMessage Response => _response;

    /// <summary>Comments so far.</summary>
    public List<string> Comments { get; } = [];

    /// <summary>How long the reader is to wait before it comes back, as told.</summary>
    public int? Retry { get; private set; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Task<SseClient> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return OpenAsync(client, request);
    }

    /// <summary>Returns when the response's head is there.</summary>
    public static async Task<SseClient> OpenAsync(HttpClient client, HttpRequestMessage request)
    {
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        return new SseClient(response, await response.Content.ReadAsStreamAsync(Cancel));
    }

    /// <summary>The next event; null when the server has ended the stream.</summary>
    public async Task<SseEvent?> ReadAsync()
    {
        string? id = null, kind = null, data = null;
        while (await _lines.ReadLineAsync(Cancel) is { } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var (field, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].TrimStart(' '));
            switch (field)
            {
                case "" when colon == 0:
                    Comments.Add(value);
                    break;
                case "" when data is not null:
                    return new SseEvent(id, kind ?? "message", data);
                case "id":
                    id = value;
                    break;
                case "event":
                    kind = value;
                    break;
                case "data":
                    data = data is null ? value : data + "\n" + value;
                    break;
                case "retry":
                    Retry = int.Parse(value);
                    break;
            }
        }

        return null;
    }

    /// <summary>Reads on until a comment comes, which must be before any event.</summary>
    public async Task<string> ReadCommentAsync()
    {
        while (await _lines.ReadLineAsync(Cancel) is { } line)
        {
            Assert.False(line.StartsWith("data", StringComparison.Ordinal), line);
            if (line.StartsWith(':'))
            {
                return line[1..].Trim();
            }
        }

        throw new EndOfStreamException("The stream ended without a comment.");
    }

    public async Task<List<SseEvent>> ReadToEndAsync()
    {
        List<SseEvent> all = [];
        while (await ReadAsync() is { } item)
        {
            all.Add(item);
        }

        return all;
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _response.Dispose();
        return ValueTask.CompletedTask;
    }
}
