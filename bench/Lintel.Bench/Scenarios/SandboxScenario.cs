using System.Diagnostics;
using Lintel.Bench.Reporting;
using Lintel.Sandbox;
using Lintel.Sandbox.Languages;

namespace Lintel.Bench.Scenarios;

/// <summary>What a sandbox adds to a program's start, a compiled program's way through the cache, and output on its way through this process.</summary>
internal sealed class SandboxScenario : IScenario
{
    private const double OverheadLimit = 12, CachedLimit = 30;
    private const long LoudBytes = 200_000_000, GrowthLimit = 32 << 20;
    private const string Square = "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n * n << '\\n'; }";

    private static readonly string[] Python = ["/usr/bin/python3", "-c", "print(1)"];

    public string Name => "sandbox";

    public string About => "a program's start in a sandbox and bare, a compiled program from the cache, 200 MB of output";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var options = new SandboxOptions { MaxLimits = SandboxLimits.Maximum with { OutputBytes = 2 * LoudBytes } };
        await using var launcher = await SandboxLauncher.CreateAsync(options, cancellationToken);
        var runner = await CodeRunner.CreateAsync(launcher, new CodeRunnerOptions(stage.NewFolder()), cancellationToken);
        var (sandboxed, bare, cached) = (new List<double>(), new List<double>(), new List<double>());
        var rounds = stage.Quick ? 20 : 100;

        // The first few are the runtime's own start, not a program's.
        for (var round = -5; round < rounds; round++)
        {
            var ours = await TimeAsync(() => RunAsync(launcher, new SandboxRequest { Command = Python }, cancellationToken));
            var theirs = await TimeAsync(() => RunBareAsync(cancellationToken));
            var compiled = await TimeAsync(() => RunCompiledAsync(runner, cancellationToken));

            if (round >= 0)
            {
                sandboxed.Add(ours);
                bare.Add(theirs);
                cached.Add(compiled);
            }
        }

        var (start, bareStart, cachedStart) = (new Sample(sandboxed), new Sample(bare), new Sample(cached));
        var (seconds, growth) = await ReadLoudProgramAsync(launcher, cancellationToken);
        var overhead = start.Median - bareStart.Median;

        return new Findings()
            .Add(new Row(
                "python3 -c 'print(1)' in a sandbox, start to end", start.Show(Show.Milliseconds), $"bare {bareStart.Show(Show.Milliseconds)}",
                Show.Times(start.Median / bareStart.Median)))
            .Add(new Row("the sandbox's part of that, medians", Show.Milliseconds(overhead), Target: "<= 12 ms", Met: overhead <= OverheadLimit))
            .Add(new Row(
                "C++ program from the cache, start to end", cachedStart.Show(Show.Milliseconds), Target: "<= 30 ms", Met: cachedStart.Median <= CachedLimit))
            .Add(new Row("200 MB of output read through", Show.Seconds(seconds)))
            .Add(new Row("this process's growth meanwhile", Show.Megabytes(growth), Target: "<= 32 MB", Met: growth <= GrowthLimit))
            .Note($"Sandboxed, bare and cached starts take turns, {rounds} of each; a bare start is posix_spawn by .NET's Process with an empty environment.");
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        var start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static async Task<long> RunAsync(SandboxLauncher launcher, SandboxRequest request, CancellationToken cancellationToken)
    {
        await using var run = await launcher.StartAsync(request, cancellationToken);
        return await FinishAsync(run, cancellationToken);
    }

    private static async Task RunCompiledAsync(CodeRunner runner, CancellationToken cancellationToken)
    {
        using var program = await runner.PrepareAsync("cpp", Square, [], cancellationToken);
        await using var run = await program.StartAsync(program.DefaultLimits, [], "5"u8.ToArray(), keepInputOpen: false, terminal: null, cancellationToken);
        await FinishAsync(run, cancellationToken);
    }

    private static async Task<long> FinishAsync(SandboxRun run, CancellationToken cancellationToken)
    {
        var bytes = 0L;

        await foreach (var chunk in run.ReadOutputAsync(cancellationToken))
        {
            bytes += chunk.Data.Length;
        }

        var result = await run.Completion;
        return result.Verdict == SandboxVerdict.Ok ? bytes : throw new InvalidOperationException($"The program ended with {result}.");
    }

    private static async Task RunBareAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Python[0], Python[1..]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment.Clear();
        using var process = Process.Start(start)!;
        await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
    }

    private static async Task<(double Seconds, long Growth)> ReadLoudProgramAsync(SandboxLauncher launcher, CancellationToken cancellationToken)
    {
        var request = new SandboxRequest
        {
            Command = ["/usr/bin/head", "-c", LoudBytes.ToString(System.Globalization.CultureInfo.InvariantCulture), "/dev/zero"],
            Limits = new SandboxLimits { OutputBytes = 2 * LoudBytes, Wall = TimeSpan.FromMinutes(2) },
        };

        // 5 sets the kernel's mark of the highest resident size back to the present one.
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5", cancellationToken);
        var before = Environment.WorkingSet;
        var start = Stopwatch.GetTimestamp();
        var bytes = await RunAsync(launcher, request, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var self = Process.GetCurrentProcess();

        return bytes == LoudBytes ? (seconds, self.PeakWorkingSet64 - before) : throw new InvalidOperationException($"Only {bytes} bytes arrived.");
    }
}
