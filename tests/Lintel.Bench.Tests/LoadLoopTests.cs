using System.Net;
using System.Net.Sockets;
using System.Text;
using Lintel.Bench.Client;

namespace Lintel.Bench.Tests;

public sealed class LoadLoopTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_that_the_server_answered_is_counted_once()
    {
        using var server = new Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        using var load = new LoadGroup([new HttpExchange(server.Endpoint, HttpExchange.Get("/")), new HttpExchange(server.Endpoint, HttpExchange.Get("/"))]);

        await Task.Run(() => LoadLoop.Run(Short, load), Cancel);

        Assert.InRange(load.Count, 1, int.MaxValue);
        Assert.Equal(server.Answered, load.CountWithLast);
    }

    [Fact]
    public async Task An_answer_other_than_200_ends_the_run()
    {
        using var server = new Answering("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops");
        using var load = new LoadGroup([new HttpExchange(server.Endpoint, HttpExchange.Get("/"))]);

        var failure = await Assert.ThrowsAsync<IOException>(() => Task.Run(() => LoadLoop.Run(Short, load), Cancel));

        Assert.Contains("oops", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_answers_to_one_request_end_the_run()
    {
        const string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        using var server = new Answering(ok + ok);
        using var load = new LoadGroup([new HttpExchange(server.Endpoint, HttpExchange.Get("/"))]);

        await Assert.ThrowsAsync<IOException>(() => Task.Run(() => LoadLoop.Run(Short, load), Cancel));
    }

    [Fact]
    public async Task A_connection_that_the_server_closes_ends_the_run()
    {
        using var server = new Answering(answer: null);
        using var load = new LoadGroup([new HttpExchange(server.Endpoint, HttpExchange.Get("/"))]);

        await Assert.ThrowsAsync<IOException>(() => Task.Run(() => LoadLoop.Run(Short, load), Cancel));
    }

    /// <summary>Answers whatever it reads, always the same; or closes the connection.</summary>
    private sealed class Answering : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private int answered;

        public Answering(string? answer)
        {
            listener.Start();
            _ = AcceptAsync(answer is null ? null : Encoding.ASCII.GetBytes(answer));
        }

        public IPEndPoint Endpoint => (IPEndPoint)listener.LocalEndpoint;

        public int Answered => Volatile.Read(ref answered);

        public void Dispose() => listener.Dispose();

        private async Task AcceptAsync(byte[]? answer)
        {
            while (true)
            {
                _ = AnswerAsync(await listener.AcceptSocketAsync(Cancel), answer);
            }
        }

        private async Task AnswerAsync(Socket accepted, byte[]? answer)
        {
            using var socket = accepted;
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, Cancel) > 0 && answer is not null)
            {
                Interlocked.Increment(ref answered);
                await socket.SendAsync(answer, Cancel);
            }
        }
    }
}
