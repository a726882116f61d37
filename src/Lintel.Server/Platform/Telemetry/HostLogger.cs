namespace Lintel.Platform.Telemetry;

/// <summary>What the host logs, but for the stack of a failed start, which <c>ServerRun</c> tells in a sentence.</summary>
internal sealed class HostLogger(ILogger inner) : ILogger
{
    // LoggerEventIds.HostedServiceStartupFaulted, which is internal.
    private const int StartFailed = 11;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id != StartFailed)
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
