using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Lintel.Features.Webhooks;

/// <summary>Somebody's own server that is told: real HTTP on a port of its own, which answers as a test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _next = new();
    private WebApplication _app = null!;
    private int _concurrent;

    public int Port { get; private set; }

    public string Url => $"http://127.0.0.1:{Port}/hook?token=a-secret-of-the-receiver";

    /// <summary>The most requests that were there at once.</summary>
    public int MostConcurrent { get; private set; }

    /// <summary>What came and nobody has looked at yet.</summary>
    public int Unread => _received.Reader.Count;

    /// <summary>What is answered when no other answer is next.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = Status(204);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="port">0 for a free one.</param>
    public static async Task<Receiver> StartAsync(int port = 0, string address = "127.0.0.1")
    {
        var receiver = new Receiver();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Limits.MinResponseDataRate = null;
            options.Listen(IPAddress.Parse(address), port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Logging.ClearProviders();
        receiver._app = builder.Build();
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync(Cancel);
        receiver.Port = new Uri(receiver._app.Urls.First()).Port;
        return receiver;
    }

    public static Func<HttpContext, Task> Status(int status, string? location = null) => context =>
    {
        context.Response.StatusCode = status;
        if (location is not null)
        {
            context.Response.Headers.Location = location;
        }

        return Task.CompletedTask;
    };

    /// <summary>The next requests are answered so, one each.</summary>
    public void Next(params Func<HttpContext, Task>[] answers)
    {
        foreach (var answer in answers)
        {
            _next.Enqueue(answer);
        }
    }

    public async Task<Received> ReceiveAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        return await _received.Reader.ReadAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Requests that hang are not waited for.
        }

        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        lock (_next)
        {
            MostConcurrent = Math.Max(MostConcurrent, ++_concurrent);
        }

        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            await _received.Writer.WriteAsync(
                new(
                    context.Request.Method,
                    context.Request.Path + context.Request.QueryString,
                    context.Request.Headers.ToDictionary(static header => header.Key, static header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                    body.ToArray()),
                CancellationToken.None);
            await (_next.TryDequeue(out var answer) ? answer : Answer)(context);
        }
        finally
        {
            lock (_next)
            {
                _concurrent--;
            }
        }
    }
}

/// <summary>A request as it came.</summary>
internal sealed record Received(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["Webhook-Id"];

    public string Timestamp => Headers["Webhook-Timestamp"];

    public string[] Signatures => Headers["Webhook-Signature"].Split(' ');

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Type => Json.GetProperty("type").GetString()!;

    public JsonElement Data => Json.GetProperty("data");

    /// <summary>What the signature must be, as the specification of Standard Webhooks says, and not as the server computes it.</summary>
    public string Sign(string secret) => Sign(secret, Id, Timestamp, Encoding.UTF8.GetString(Body));

    public static string Sign(string secret, string id, string timestamp, string body)
    {
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret["whsec_".Length..]));
        return "v1," + Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes(string.Join('.', id, timestamp, body))));
    }

    public long Seconds => long.Parse(Timestamp, CultureInfo.InvariantCulture);
}
