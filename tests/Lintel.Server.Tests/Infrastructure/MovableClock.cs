namespace Lintel.Infrastructure;

/// <summary>The system's clock, set forward by tests. Timers and measured durations stay real.</summary>
/// <param name="standsStill">It is moved by tests alone: for what would go on with the time that a slow machine takes.</param>
public sealed class MovableClock(bool standsStill = false) : TimeProvider
{
    private readonly DateTimeOffset? _start = standsStill ? System.GetUtcNow() : null;
    private long _ahead;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ahead, by.Ticks);

    public override DateTimeOffset GetUtcNow() => (_start ?? base.GetUtcNow()).AddTicks(Interlocked.Read(ref _ahead));
}
