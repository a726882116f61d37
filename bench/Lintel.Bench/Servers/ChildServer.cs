using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Lintel.Bench.Client;

namespace Lintel.Bench.Servers;

/// <summary>A server in a process of its own on a free loopback port, stopped with this object or, at the latest, with this program.</summary>
internal sealed class ChildServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly Process process;

    private ChildServer(Process process, IPEndPoint endpoint)
    {
        this.process = process;
        Endpoint = endpoint;
        AppDomain.CurrentDomain.ProcessExit += KillNow;
    }

    public IPEndPoint Endpoint { get; }

    public Uri Url => new($"http://{Endpoint}");

    public int ProcessId => process.Id;

    /// <summary>From the start of the process to its first 200.</summary>
    public TimeSpan StartedIn { get; private set; }

    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public static async Task<ChildServer> StartAsync(ServerProgram program, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var endpoint = FreeEndpoint();
        var started = Stopwatch.GetTimestamp();
        var server = new ChildServer(Process.Start(Describe(program, folder, endpoint.Port))!, endpoint);
        try
        {
            await server.WaitUntilHealthyAsync(program.HealthPath, started, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            _ = Libc.Kill(process.Id, Libc.Terminate);
            using var limit = new CancellationTokenSource(StopLimit);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        AppDomain.CurrentDomain.ProcessExit -= KillNow;
        process.Dispose();
    }

    /// <summary>The shell replaces itself by the server, so that the log goes where it goes in production: to a file, not through this process.</summary>
    private static ProcessStartInfo Describe(ServerProgram program, string folder, int port)
    {
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = folder };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec \"$0\" >> \"$1\"");
        start.ArgumentList.Add(program.Executable);
        start.ArgumentList.Add(program.LogFile);
        program.Configure(start.Environment, folder, port);
        return start;
    }

    private static IPEndPoint FreeEndpoint()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private async Task WaitUntilHealthyAsync(string path, long started, CancellationToken cancellationToken)
    {
        while (!Answers200(path))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"{process.StartInfo.ArgumentList[2]} ended with exit code {process.ExitCode}.");
            }

            if (Stopwatch.GetElapsedTime(started) > StartLimit)
            {
                throw new TimeoutException($"{process.StartInfo.ArgumentList[2]} did not answer {path} within {StartLimit}.");
            }

            await Task.Delay(1, cancellationToken);
        }

        StartedIn = Stopwatch.GetElapsedTime(started);
    }

    private bool Answers200(string path)
    {
        try
        {
            using var socket = Exchange.Connect(Endpoint);
            socket.ReceiveTimeout = 5000;
            socket.Send(HttpExchange.Get(path));
            Span<byte> answer = stackalloc byte[16];
            return socket.Receive(answer) >= 12 && answer.StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void KillNow(object? sender, EventArgs exit)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }
}
