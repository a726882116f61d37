using System.Collections.Concurrent;
using Lintel.Platform.Errors;
using Polly;
using Polly.CircuitBreaker;

namespace Lintel.Platform.Breakers;

/// <summary>When a breaker opens and how long it stays so.</summary>
internal sealed record BreakerOptions
{
    /// <summary>Failures within <see cref="Window"/>, and no success, that open it.</summary>
    public int Failures { get; init; } = 5;

    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long nothing is tried. Then one call is let through, which closes it or opens it again.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Which exceptions say that the dependency does not work, rather than that it refused this one request.</summary>
    public Func<Exception, bool> IsFailure { get; init; } = static _ => true;
}

/// <summary>A breaker is open: its dependency failed again and again, and is left alone for a while.</summary>
internal sealed class BreakerOpenException(string name) : ServiceUnavailableException($"The dependency {name} is out of service; it is tried again shortly.");

/// <summary>Stands before something outside of this process that may stop working, so that nobody waits for it in vain.</summary>
internal sealed partial class Breaker
{
    private readonly ResiliencePipeline _pipeline;
    private readonly CircuitBreakerStateProvider _state = new();

    public Breaker(string name, BreakerOptions options, TimeProvider time, ILogger logger)
    {
        Name = name;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 1,
                MinimumThroughput = options.Failures,
                SamplingDuration = options.Window,
                BreakDuration = options.OpenFor,
                StateProvider = _state,
                ShouldHandle = arguments => new(arguments.Outcome.Exception is { } failure and not OperationCanceledException && options.IsFailure(failure)),
                OnOpened = arguments =>
                {
                    Log.Opened(logger, name, arguments.BreakDuration.TotalSeconds, arguments.Outcome.Exception?.Message ?? "");
                    return default;
                },
                OnHalfOpened = _ =>
                {
                    Log.Probing(logger, name);
                    return default;
                },
                OnClosed = _ =>
                {
                    Log.Closed(logger, name);
                    return default;
                },
            })
            .Build();
    }

    public string Name { get; }

    /// <summary>False while calls are refused, or one is tried to see.</summary>
    public bool IsClosed => _state.CircuitState == CircuitState.Closed;

    /// <summary>The state as a word: <c>closed</c>, <c>open</c> or <c>half_open</c>.</summary>
    public string State => _state.CircuitState switch
    {
        CircuitState.Closed => "closed",
        CircuitState.HalfOpen => "half_open",
        _ => "open",
    };

    /// <summary>Makes a call, unless the breaker is open.</summary>
    /// <exception cref="BreakerOpenException">It is.</exception>
    public async ValueTask RunAsync(Func<CancellationToken, ValueTask> call, CancellationToken cancellationToken)
    {
        try
        {
            await _pipeline.ExecuteAsync(call, cancellationToken);
        }
        catch (BrokenCircuitException failure)
        {
            throw new BreakerOpenException(Name) { RetryAfter = failure.RetryAfter };
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The breaker {Breaker} opened for {Seconds} s: {Reason}")]
        public static partial void Opened(ILogger logger, string breaker, double seconds, string reason);

        [LoggerMessage(2, LogLevel.Information, "The breaker {Breaker} lets one call through to see.")]
        public static partial void Probing(ILogger logger, string breaker);

        [LoggerMessage(3, LogLevel.Information, "The breaker {Breaker} closed.")]
        public static partial void Closed(ILogger logger, string breaker);
    }
}

/// <summary>The breakers of this node, by the name of what they stand before.</summary>
internal sealed class Breakers(TimeProvider time, ILogger<Breaker> logger)
{
    private readonly ConcurrentDictionary<string, Breaker> _breakers = new(StringComparer.Ordinal);

    public IEnumerable<Breaker> All => _breakers.Values.OrderBy(static breaker => breaker.Name, StringComparer.Ordinal);

    /// <summary>Makes a breaker known; a feature does so once, when it is built.</summary>
    public Breaker Add(string name, BreakerOptions options)
    {
        var breaker = new Breaker(name, options, time, logger);
        return _breakers.TryAdd(name, breaker) ? breaker : throw new InvalidOperationException($"There are two breakers {name}.");
    }
}
