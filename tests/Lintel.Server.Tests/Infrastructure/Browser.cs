using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lintel.Infrastructure;

/// <summary>A real browser without a window, driven over its DevTools protocol.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Executable = "/usr/bin/chromium";
    private const string Listening = "DevTools listening on ";

    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    private Task? _reading;
    private Task? _saying;
    private string? _session;
    private int _last;

    private Browser(Process process, string profile) => (_process, _profile) = (process, profile);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens a page.</summary>
    public static async Task<Browser> OpenAsync(Uri page)
    {
        var profile = Directory.CreateTempSubdirectory("lintel-browser-").FullName;
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
            "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank",
        ];
        var process = Process.Start(new ProcessStartInfo(Executable, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var browser = new Browser(process, profile);
        try
        {
            await browser.ConnectAsync(page);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a command of the protocol to the page.</summary>
    public async Task<JsonElement> SendAsync(string method, JsonObject? parameters = null)
    {
        var id = Interlocked.Increment(ref _last);
        var answer = _waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (_session is not null)
        {
            message["sessionId"] = _session;
        }

        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, Cancel);
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
    }

    /// <summary>What a script on the page comes to, once it has.</summary>
    public async Task<JsonElement> RunAsync(string script)
    {
        var result = await SendAsync("Runtime.evaluate", new() { ["expression"] = script, ["awaitPromise"] = true, ["returnByValue"] = true, ["userGesture"] = true });
        Assert.False(result.TryGetProperty("exceptionDetails", out var failure), failure.ValueKind == JsonValueKind.Undefined ? "" : failure.GetRawText());
        return result.GetProperty("result").GetProperty("value");
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        await Task.WhenAll(_reading ?? Task.CompletedTask, _saying ?? Task.CompletedTask);
        _process.Dispose();
        _socket.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private async Task ConnectAsync(Uri page)
    {
        string? line;
        do
        {
            line = await _process.StandardError.ReadLineAsync(Cancel) ?? throw new InvalidOperationException("The browser ended before it listened.");
        }
        while (!line.StartsWith(Listening, StringComparison.Ordinal));

        // What it goes on to say is nobody's, and must not fill the pipe.
        _saying = Task.WhenAll(_process.StandardError.ReadToEndAsync(CancellationToken.None), _process.StandardOutput.ReadToEndAsync(CancellationToken.None));
        await _socket.ConnectAsync(new Uri(line[Listening.Length..]), Cancel);
        _reading = ReadAsync();
        var target = await SendAsync("Target.createTarget", new() { ["url"] = page.ToString() });
        var attached = await SendAsync("Target.attachToTarget", new() { ["targetId"] = target.GetProperty("targetId").GetString(), ["flatten"] = true });
        _session = attached.GetProperty("sessionId").GetString();
        await Eventually.HoldsAsync(async () => (await RunAsync("location.href + document.readyState")).GetString() == page + "complete");
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        var message = new MemoryStream();
        try
        {
            while (true)
            {
                var result = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                message.Write(buffer, 0, result.Count);
                if (result.EndOfMessage)
                {
                    Dispatch(message.ToArray());
                    message.SetLength(0);
                }
            }
        }
        catch (Exception ended) when (ended is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            foreach (var waiting in _waiting.Values)
            {
                waiting.TrySetException(ended);
            }
        }
    }

    private void Dispatch(byte[] message)
    {
        var json = JsonDocument.Parse(message).RootElement;
        if (!json.TryGetProperty("id", out var id) || !_waiting.TryRemove(id.GetInt32(), out var waiting))
        {
            return;
        }

        if (json.TryGetProperty("error", out var error))
        {
            waiting.TrySetException(new InvalidOperationException(error.GetRawText()));
        }
        else
        {
            waiting.TrySetResult(json.GetProperty("result"));
        }
    }
}
