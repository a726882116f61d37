using Lintel.Platform.Errors;
using Polly;
using Polly.CircuitBreaker;

namespace Lintel.Platform.Breakers;

/// <summary>A breaker is open: its dependency failed again and again, and is left alone for a while.</summary>
internal sealed class BreakerOpenException(string name) : ServiceUnavailableException($"The dependency {name} is out of service; it is tried again shortly.");

/// <summary>What a breaker is at one moment.</summary>
/// <param name="State"><c>closed</c>, <c>open</c> or <c>half_open</c>.</param>
/// <param name="Since">When it came to be so; null where it never opened.</param>
/// <param name="RetryAt">When an open one lets a call through.</param>
/// <param name="Reason">The failure that opened it.</param>
internal readonly record struct BreakerStatus(string State, DateTimeOffset? Since, DateTimeOffset? RetryAt, string? Reason);

/// <summary>A breaker opened or closed, by what happened on this node.</summary>
/// <param name="OpenFor">Null where it closed.</param>
internal readonly record struct BreakerChange(Breaker Breaker, TimeSpan? OpenFor, string? Reason);

/// <summary>
/// Stands before something outside of this process that may stop working, so that nobody waits for it in vain. The failures that this node sees are counted by Polly; what other nodes
/// found out holds beside that, as an <see cref="Outage"/>.
/// </summary>
internal sealed partial class Breaker
{
    private readonly ResiliencePipeline _pipeline;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly CircuitBreakerManualControl _control = new();
    private readonly Outage _outage;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BreakerMetrics? _metrics;
    private readonly Action<BreakerChange>? _changed;
    private volatile Transition? _last;

    /// <param name="changed">Is called with each change that other nodes should hear of. It must be short.</param>
    public Breaker(string name, BreakerOptions options, TimeProvider time, ILogger logger, BreakerMetrics? metrics = null, Action<BreakerChange>? changed = null)
    {
        (Name, Options, _time, _logger, _metrics, _changed) = (name, options, time, logger, metrics, changed);
        _outage = new(time);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 1,
                MinimumThroughput = options.Failures,
                SamplingDuration = options.Window,
                BreakDuration = options.OpenFor,
                StateProvider = _state,
                ManualControl = _control,
                ShouldHandle = arguments => new(arguments.Outcome.Exception is { } failure && IsFailure(failure)),
                OnOpened = arguments =>
                {
                    Opened(arguments.BreakDuration, arguments.Outcome.Exception);
                    return default;
                },
                OnHalfOpened = _ =>
                {
                    Log.Probing(logger, name);
                    return default;
                },
                OnClosed = arguments =>
                {
                    // What was closed by hand is told by whoever did.
                    if (!arguments.IsManual)
                    {
                        _outage.End();
                        Closed();
                    }

                    return default;
                },
            })
            .Build();
    }

    public string Name { get; }

    public BreakerOptions Options { get; }

    /// <summary>False while calls are refused, or one is tried to see.</summary>
    public bool IsClosed => _state.CircuitState == CircuitState.Closed && _outage.State == OutageState.None;

    /// <summary>The state as a word: <c>closed</c>, <c>open</c> or <c>half_open</c>.</summary>
    public string State => (_state.CircuitState, _outage.State) switch
    {
        (CircuitState.Closed, OutageState.None) => "closed",
        (CircuitState.Open or CircuitState.Isolated, _) or (_, OutageState.Lasting) => "open",
        _ => "half_open",
    };

    public BreakerStatus Status => (State, _last) switch
    {
        (var state, null) => new(state, null, null, null),
        ("closed", { } last) => new("closed", last.At, null, null),
        (var state, { } last) => new(state, last.At, last.RetryAt, last.Reason),
    };

    /// <summary>Makes a call, unless the breaker is open.</summary>
    /// <exception cref="BreakerOpenException">It is.</exception>
    public async ValueTask RunAsync(Func<CancellationToken, ValueTask> call, CancellationToken cancellationToken)
    {
        var place = _outage.Enter();
        if (!place.IsOpen)
        {
            throw Refuse(place.RetryAfter);
        }

        if (place.IsProbe)
        {
            Log.Probing(_logger, Name);
        }

        var probe = ProbeResult.Unknown;
        try
        {
            await _pipeline.ExecuteAsync(call, cancellationToken);
            probe = ProbeResult.Works;
        }
        catch (BrokenCircuitException failure)
        {
            throw Refuse(failure.RetryAfter);
        }
        catch (Exception failure)
        {
            probe = IsFailure(failure) ? ProbeResult.Fails : failure is OperationCanceledException ? ProbeResult.Unknown : ProbeResult.Works;
            if (place.IsProbe && probe == ProbeResult.Fails)
            {
                _outage.Begin(Options.OpenFor);
                Opened(Options.OpenFor, failure);
            }

            throw;
        }
        finally
        {
            if (place.IsProbe && _outage.Leave(probe))
            {
                Closed();
            }
        }
    }

    /// <summary>Closes the breaker by hand, here and on the other nodes: whoever does so knows that the dependency works again.</summary>
    public async Task ResetAsync()
    {
        await CloseAsync();
        Log.Reset(_logger, Name);
        Closed();
    }

    /// <summary>Another node found the dependency out of service.</summary>
    public void HearOpened(TimeSpan openFor, string reason)
    {
        _outage.Begin(openFor);
        Remember("open", openFor, reason);
        Log.HeardOpened(_logger, Name, openFor.TotalSeconds, reason);
    }

    /// <summary>Another node found that the dependency works again.</summary>
    public async Task HearClosedAsync()
    {
        if (IsClosed)
        {
            return;
        }

        await CloseAsync();
        Remember("closed");
        Log.HeardClosed(_logger, Name);
    }

    private async Task CloseAsync()
    {
        _outage.End();
        await _control.CloseAsync(CancellationToken.None);
    }

    private bool IsFailure(Exception failure) => failure is not OperationCanceledException and not BrokenCircuitException && Options.IsFailure(failure);

    private BreakerOpenException Refuse(TimeSpan? retryAfter)
    {
        _metrics?.Refused(Name);
        return new(Name) { RetryAfter = retryAfter };
    }

    private void Opened(TimeSpan openFor, Exception? failure)
    {
        var reason = failure?.GetBaseException().Message ?? "";
        Remember("open", openFor, reason);
        Log.Opened(_logger, Name, openFor.TotalSeconds, reason);
        _changed?.Invoke(new(this, openFor, reason));
    }

    private void Closed()
    {
        Remember("closed");
        Log.Closed(_logger, Name);
        _changed?.Invoke(new(this, null, null));
    }

    private void Remember(string state, TimeSpan? openFor = null, string? reason = null)
    {
        var now = _time.GetUtcNow();
        _last = new(now, now + openFor, reason);
        _metrics?.Changed(Name, state);
    }

    private sealed record Transition(DateTimeOffset At, DateTimeOffset? RetryAt, string? Reason);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The breaker {Breaker} opened for {Seconds} s: {Reason}")]
        public static partial void Opened(ILogger logger, string breaker, double seconds, string reason);

        [LoggerMessage(2, LogLevel.Information, "The breaker {Breaker} lets one call through to see.")]
        public static partial void Probing(ILogger logger, string breaker);

        [LoggerMessage(3, LogLevel.Information, "The breaker {Breaker} closed.")]
        public static partial void Closed(ILogger logger, string breaker);

        [LoggerMessage(4, LogLevel.Warning, "The breaker {Breaker} is open for {Seconds} s, as another node found: {Reason}")]
        public static partial void HeardOpened(ILogger logger, string breaker, double seconds, string reason);

        [LoggerMessage(5, LogLevel.Information, "The breaker {Breaker} closed, as it did on another node.")]
        public static partial void HeardClosed(ILogger logger, string breaker);

        [LoggerMessage(6, LogLevel.Warning, "The breaker {Breaker} was closed by hand.")]
        public static partial void Reset(ILogger logger, string breaker);
    }
}
