using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>Programs as people run them: over a WebSocket that is open already, from the message that has the code to the one that tells its end.</summary>
internal sealed class ExecuteScenario : IScenario
{
    private const int Concurrent = 20;
    private const int Readers = 4;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private const long LoudBytes = 200_000_000;
    private const double ServersPartLimit = 15, CachedLimit = 30, ReaderLimit = 100, GrowthLimit = 32 << 20;

    private const string Hello = "print('Hello, world')\n";
    private const string Square = "#include <iostream>\nint main() { int n = 5; std::cout << n * n << '\\n'; }";

    // Works without pause, and talks: what a loop that its author watches does.
    private const string Busy = "n = 0\nwhile True:\n    n += 1\n    if n % 200000 == 0: print(n, flush=True)\n";

    private static readonly Dictionary<string, string> Settings = new()
    {
        ["EXECUTE"] = "required",
        ["EXECUTE_CONCURRENCY"] = $"{Concurrent}",
        ["EXECUTE_CONCURRENCY_PER_OWNER"] = $"{Concurrent}",
        ["EXECUTE_MAX_OUTPUT_KB"] = $"{256 * 1024}",
        ["JOB_CONCURRENCY"] = $"{2 * Concurrent}",
        ["JOB_CONCURRENCY_PER_OWNER"] = $"{2 * Concurrent}",
    };

    public string Name => "execute";

    public string About => "programs over WS /ws/execute: hello world beside a bare start, a cached C++ program, GET /auth/me beside 20 of them, 200 MB of output";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var folder = stage.NewFolder();
        var program = Path.Combine(folder, "main.py");
        await File.WriteAllTextAsync(program, Hello, cancellationToken);
        await using var server = await stage.StartServerAsync(folder, Settings, cancellationToken);
        var account = await Account.CreateAsync(server, "execute", cancellationToken);

        var (hello, bare, cached) = await MeasureStartsAsync(stage, server, account, program, cancellationToken);
        var alone = MeasureReaders(stage, server, account);
        var beside = await MeasureBesideProgramsAsync(stage, server, account, cancellationToken);
        var (seconds, growth) = await MeasureLoudProgramAsync(server, account, cancellationToken);
        var part = hello.Median - bare.Median;

        return new Findings()
            .Add(new Row(
                "hello world in Python, message in to complete out", hello.Show(Show.Milliseconds), $"started bare {bare.Show(Show.Milliseconds)}",
                Show.Times(hello.Median / bare.Median)))
            .Add(new Row("the server's and the sandbox's part of that, medians", Show.Milliseconds(part), Target: "<= 15 ms", Met: part <= ServersPartLimit))
            .Add(new Row(
                "C++ program from the cache, message in to complete out", cached.Show(Show.Milliseconds), Target: "<= 30 ms", Met: cached.Median <= CachedLimit))
            .Add(new Row(
                $"p99 of GET /auth/me beside {Concurrent} busy programs", beside.Show(Show.Milliseconds), $"beside none {alone.Show(Show.Milliseconds)}",
                Show.Times(beside.Median / alone.Median), "<= 100 ms", beside.Median <= ReaderLimit))
            .Add(new Row("200 MB of output brought to its socket", Show.Seconds(seconds)))
            .Add(new Row("the server's growth meanwhile", Show.Megabytes(growth), Target: "<= 32 MB", Met: growth <= GrowthLimit))
            .Note(
                $"Python in the server, bare and C++ take turns, each run on a socket that was opened before the clock started; a bare start is posix_spawn by .NET's Process with an empty " +
                $"environment. The {Concurrent} programs compute without pause on {Environment.ProcessorCount} cores and print; {Readers} connections ask meanwhile, each {Pause.TotalMilliseconds} ms after its last answer. " +
                "Growth is from the resident size before to the highest during the run, after 50 MB that fill the database's cache; all output goes through the log.");
    }

    private static async Task<(Sample Hello, Sample Bare, Sample Cached)> MeasureStartsAsync(
        Stage stage, ChildServer server, Account account, string program, CancellationToken cancellationToken)
    {
        var (hello, bare, cached) = (new List<double>(), new List<double>(), new List<double>());
        var rounds = stage.Quick ? 20 : 100;

        // Before that it is the runtime's start, on both sides.
        for (var round = stage.Quick ? -10 : -50; round < rounds; round++)
        {
            var ours = await RunAsync(server, account, "python", Hello, cancellationToken);
            var theirs = await RunBareAsync(program, cancellationToken);
            var compiled = await RunAsync(server, account, "cpp", Square, cancellationToken);
            if (round >= 0)
            {
                hello.Add(ours);
                bare.Add(theirs);
                cached.Add(compiled);
            }
        }

        return (new Sample(hello), new Sample(bare), new Sample(cached));
    }

    /// <summary>Milliseconds from the message to the end of a program that must end well.</summary>
    private static async Task<double> RunAsync(ChildServer server, Account account, string language, string code, CancellationToken cancellationToken)
    {
        using var socket = await ProgramSocket.OpenAsync(server, account, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        await socket.SendAsync(new { type = "execute", language, code }, cancellationToken);
        await socket.ReadToCompleteAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<double> RunBareAsync(string program, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [program]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment.Clear();
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>
    /// The 99th percentile of each round. Requests come at a pace, as from people: without pauses the few that a stall catches would drown in the thousands that
    /// are answered between two stalls.
    /// </summary>
    private static Sample MeasureReaders(Stage stage, ChildServer server, Account account)
    {
        var request = HttpExchange.Get("/auth/me", account.AccessToken);
        Latencies(server, request, stage.WarmUp / 2);
        List<double> tails = [];
        for (var round = 0; round < stage.Rounds; round++)
        {
            var sorted = Latencies(server, request, stage.Window * 2).Order().ToList();
            tails.Add(sorted[(int)Math.Ceiling(0.99 * sorted.Count) - 1]);
        }

        return new Sample(tails);
    }

    private static List<double> Latencies(ChildServer server, byte[] request, TimeSpan window)
    {
        var threads = Enumerable.Range(0, Readers).Select(_ => Task.Factory.StartNew(() => Ask(server, request, window), TaskCreationOptions.LongRunning)).ToArray();
        return [.. threads.SelectMany(static thread => thread.GetAwaiter().GetResult())];
    }

    private static List<double> Ask(ChildServer server, byte[] request, TimeSpan window)
    {
        using var socket = Exchange.Connect(server.Endpoint);
        var answer = new byte[4096];
        List<double> milliseconds = [];
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < window)
        {
            if (socket.Poll(Pause, SelectMode.SelectRead))
            {
                throw new IOException("The server closed a connection.");
            }

            var sent = Stopwatch.GetTimestamp();
            socket.Send(request);
            var length = 0;
            HttpAnswer got;
            do
            {
                var read = socket.Receive(answer.AsSpan(length));
                length += read > 0 ? read : throw new IOException("The server closed a connection.");
            }
            while (!HttpAnswer.TryRead(answer.AsSpan(0, length), out got));

            milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            if (got.Status != 200)
            {
                throw new IOException($"GET /auth/me was answered with {got.Status}.");
            }
        }

        return milliseconds;
    }

    private static async Task<Sample> MeasureBesideProgramsAsync(Stage stage, ChildServer server, Account account, CancellationToken cancellationToken)
    {
        List<ProgramSocket> sockets = [];
        List<Task> reading = [];
        try
        {
            for (var i = 0; i < Concurrent; i++)
            {
                var socket = await ProgramSocket.OpenAsync(server, account, cancellationToken);
                sockets.Add(socket);
                await socket.SendAsync(new { type = "execute", language = "python", code = Busy, limits = new { cpu_seconds = 60 } }, cancellationToken);
            }

            foreach (var socket in sockets)
            {
                await socket.ReadToOutputAsync(cancellationToken);
                reading.Add(socket.ReadToCompleteAsync(cancellationToken));
            }

            var tails = await Task.Run(() => MeasureReaders(stage, server, account), cancellationToken);
            if (reading.Find(static one => one.IsCompleted) is { } ended)
            {
                await ended;
                throw new InvalidOperationException("A program ended before it was told to.");
            }

            return tails;
        }
        finally
        {
            foreach (var socket in sockets)
            {
                await socket.SendAsync(new { type = "kill" }, CancellationToken.None);
            }

            await Task.WhenAll(reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            sockets.ForEach(static socket => socket.Dispose());
        }
    }

    private static async Task<(double Seconds, double Growth)> MeasureLoudProgramAsync(ChildServer server, Account account, CancellationToken cancellationToken)
    {
        // The database keeps 32 MB of its file in memory, whatever was written that fills them; that is no part of what the output costs.
        await PrintAsync(server, account, LoudBytes / 4, cancellationToken);
        Memory.ForgetPeak(server.ProcessId);
        var before = Memory.Resident(server.ProcessId);
        var started = Stopwatch.GetTimestamp();
        await PrintAsync(server, account, LoudBytes, cancellationToken);
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, Memory.PeakResident(server.ProcessId) - before);
    }

    private static async Task PrintAsync(ChildServer server, Account account, long bytes, CancellationToken cancellationToken)
    {
        using var socket = await ProgramSocket.OpenAsync(server, account, cancellationToken);
        var limits = new { wall_seconds = 300, cpu_seconds = 60, output_kb = 256 * 1024 };
        var code = string.Create(CultureInfo.InvariantCulture, $"head -c {bytes} /dev/zero | tr '\\0' x");
        await socket.SendAsync(new { type = "execute", language = "bash", code, terminal = (object?)null, limits }, cancellationToken);
        if (await socket.ReadToCompleteAsync(cancellationToken) is var characters && characters != bytes)
        {
            throw new InvalidOperationException($"Only {characters} characters of {bytes} arrived.");
        }
    }
}
