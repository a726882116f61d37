using Lintel.Features.Jobs;
using Lintel.Platform.Errors;
using Lintel.Platform.Health;
using Lintel.Platform.Json;
using Lintel.Sandbox;
using Lintel.Sandbox.Languages;

namespace Lintel.Features.Execution;

/// <summary>
/// The sandbox of this server and the languages in it. It is tested, and they are looked for, once the server listens: nobody waits for that who does not run code.
/// Without a sandbox that holds, nothing is run.
/// </summary>
internal sealed partial class ExecutionSandbox(ExecutionOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ExecutionSandbox> logger)
    : BackgroundService, IReadinessCheck, IAsyncDisposable
{
    private const string TurnedOff = "Running code is turned off on this server (EXECUTE=off).";
    private const string Untested = "The sandbox is still being tested; try again in a few seconds.";

    // Each job has one program or one compiler at a time; the rest is for the look for languages.
    private const int SpareRuns = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _tested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SandboxLauncher? _launcher;

    public string Name => "sandbox";

    /// <summary>The languages, once they are known and where code can be run.</summary>
    public CodeRunner? Runner { get; private set; }

    /// <summary>Why no code is run here; null while that is not known, and when it is.</summary>
    public string? Reason { get; private set; } = options.Mode == ExecutionMode.Off ? TurnedOff : null;

    /// <summary>The languages; waits a while for a server that has just started.</summary>
    /// <exception cref="ServiceUnavailableException">No code can be run here, for the reason that its message tells.</exception>
    public async Task<CodeRunner> GetAsync(CancellationToken cancellationToken)
    {
        if (Reason is null && Runner is null)
        {
            try
            {
                await _tested.Task.WaitAsync(Patience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                throw new ServiceUnavailableException(Untested) { RetryAfter = RetryAfter };
            }
        }

        return Runner ?? throw new ServiceUnavailableException(Reason ?? Untested);
    }

    /// <summary>Why a language cannot be run here, as far as that is known now.</summary>
    public string? WhyNot(Language language) =>
        Runner?.Toolchains.FirstOrDefault(toolchain => toolchain.Language == language)?.Reason is { } reason
            ? $"{ExecutionRequest.Unsupported(language.Id)}. {reason}"
            : null;

    /// <summary>What is known now of a request before its job is accepted.</summary>
    /// <param name="errors">What is wrong with the request itself.</param>
    /// <exception cref="ServiceUnavailableException">No code can be run here.</exception>
    public JobInputCheck Check(ExecutionRequest? request, FieldErrors errors, long total)
    {
        if (request is not null && Reason is { } reason)
        {
            throw new ServiceUnavailableException(reason);
        }

        if (request is not null && WhyNot(request.Language) is { } why)
        {
            errors.Add("language", why);
        }

        return errors.Any ? new JobInputCheck { Fields = errors.ToDictionary() } : new JobInputCheck(total) { CancelOnDisconnect = !request!.Detach };
    }

    public ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken) => new((Reason, Runner, _launcher) switch
    {
        (TurnedOff, _, _) => Readiness.ReadyWith("Turned off."),
        ({ } reason, _, _) => options.Mode == ExecutionMode.Required ? Readiness.Failed(reason) : Readiness.Degraded(reason),
        (_, { } runner, { } launcher) => Readiness.ReadyWith(
            $"{runner.Toolchains.Count(static toolchain => toolchain.IsInstalled)} languages; limits kept by {string.Join(", ", launcher.Enforcement)}."),
        _ => options.Mode == ExecutionMode.Required ? Readiness.Failed("Being tested.") : Readiness.ReadyWith("Being tested."),
    });

    public async ValueTask DisposeAsync()
    {
        // After the job engine has stopped: until then its programs need the thread that watches them.
        if (Interlocked.Exchange(ref _launcher, null) is { } launcher)
        {
            await launcher.DisposeAsync();
        }

        Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Mode == ExecutionMode.Off)
        {
            return;
        }

        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, lifetime.ApplicationStarted).WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stoppingToken.ThrowIfCancellationRequested();
            await TestAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            Reason = "The server is stopping.";
        }
        catch (Exception failure)
        {
            // The server is for more than code: it goes on without.
            Log.TestFailed(logger, failure);
            Reason = "The sandbox could not be tested because of an error in the server; its log tells more.";
        }
        finally
        {
            _tested.TrySetResult();
        }
    }

    private async Task TestAsync(CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        var most = SandboxLimits.Maximum;
        var launcher = await SandboxLauncher.CreateAsync(
            new SandboxOptions
            {
                BubblewrapPath = options.Bubblewrap,
                MaxRuns = options.Concurrency + options.BatchConcurrency + SpareRuns,

                // Compilers have limits of their own within these; what a request may ask for is cut down before.
                MaxLimits = most with
                {
                    Wall = Larger(most.Wall, TimeSpan.FromSeconds(options.MaxWallSeconds)),
                    Cpu = Larger(most.Cpu, TimeSpan.FromSeconds(options.MaxCpuSeconds)),
                    MemoryBytes = Math.Max(most.MemoryBytes, (long)options.MaxMemoryMb << 20),
                    Processes = Math.Max(most.Processes, options.MaxProcesses),
                    FileBytes = Math.Max(most.FileBytes, (long)options.MaxFileMb << 20),
                    WorkBytes = Math.Max(most.WorkBytes, (long)options.MaxFileMb << 20),
                    OutputBytes = Math.Max(most.OutputBytes, (long)options.MaxOutputKb << 10),
                },
            },
            stoppingToken);
        _launcher = launcher;
        if (launcher.Reason is { } reason)
        {
            Reason = reason;
            Log.Unavailable(logger, reason);
            return;
        }

        Runner = await CodeRunner.CreateAsync(launcher, new CodeRunnerOptions(options.CacheFolder) { CacheBytes = options.CacheBytes }, stoppingToken);
        Log.Available(
            logger,
            string.Join(", ", Runner.Toolchains.Where(static toolchain => toolchain.IsInstalled).Select(static toolchain => $"{toolchain.Language.Id} {toolchain.Version}")),
            time.GetElapsedTime(started).TotalMilliseconds);
    }

    private static TimeSpan Larger(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Code can be run: {Languages}. The sandbox held all tests; it took {DurationMs} ms to find out.")]
        public static partial void Available(ILogger logger, string languages, double durationMs);

        [LoggerMessage(2, LogLevel.Warning, "No code can be run: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Error, "The sandbox could not be tested; no code can be run.")]
        public static partial void TestFailed(ILogger logger, Exception failure);
    }
}
