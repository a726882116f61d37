namespace Lintel.Platform.Threading;

public sealed class AsyncSignalTests
{
    [Fact]
    public async Task A_wait_after_a_set_returns_at_once_and_only_once()
    {
        var signal = new AsyncSignal();
        signal.Set();
        signal.Set();

        await signal.WaitAsync();
        var second = signal.WaitAsync().AsTask();
        Assert.False(second.IsCompleted);
        signal.Set();
        await second;
    }

    [Fact]
    public async Task No_set_is_lost_however_it_meets_the_wait()
    {
        // The waiter must see the last value that was written before a set, each time.
        const int rounds = 200_000;
        var signal = new AsyncSignal();
        var value = 0;
        var writing = Task.Run(() =>
        {
            for (var i = 1; i <= rounds; i++)
            {
                Volatile.Write(ref value, i);
                signal.Set();
            }
        }, TestContext.Current.CancellationToken);
        var waking = Task.Run(async () =>
        {
            while (Volatile.Read(ref value) < rounds)
            {
                await signal.WaitAsync();
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(writing, waking).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }
}
