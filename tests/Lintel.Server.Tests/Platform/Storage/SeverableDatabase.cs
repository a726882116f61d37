using Lintel.Features.Jobs;

namespace Lintel.Platform.Storage;

/// <summary>A database whose cable can be pulled: nothing reaches it, and what was under way has or has not happened.</summary>
internal sealed class SeverableDatabase(Database inner) : Database
{
    private volatile bool _severed;
    private volatile TaskCompletionSource? _hanging;
    private int _answersToLose;
    private volatile Gate? _writes;
    private TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override DatabaseKind Kind => inner.Kind;

    public void Sever()
    {
        _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _severed = true;
    }

    /// <summary>Waits until something has tried to write to the severed database.</summary>
    public Task WaitForRefusalAsync() => _refused.Task.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>From now on nothing comes back, neither an answer nor a failure, as when packets vanish.</summary>
    public void Hang() => _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Mend()
    {
        _severed = false;
        var hanging = _hanging;
        _hanging = null;
        hanging?.TrySetResult();
    }

    /// <summary>The next write will be done, and its caller told that the database is away.</summary>
    public void LoseNextAnswer() => Interlocked.Increment(ref _answersToLose);

    /// <summary>From now on every write comes to <paramref name="gate"/> twice: before it is done, and when it is.</summary>
    public void Hold(Gate gate) => _writes = gate;

    /// <summary>Lets writes pass again.</summary>
    public void LetGo()
    {
        var gate = _writes;
        _writes = null;
        gate?.Open(1000);
    }

    public override async Task<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        if (_severed)
        {
            _refused.TrySetResult();
        }

        await ReachAsync();
        var isLost = Interlocked.Exchange(ref _answersToLose, 0) > 0;
        var gate = _writes;
        await (gate?.PassAsync(CancellationToken.None) ?? Task.CompletedTask);
        var result = await inner.WriteAsync(unit, cancellationToken);
        await (gate?.PassAsync(CancellationToken.None) ?? Task.CompletedTask);
        return isLost ? throw new StorageUnavailableException("The answer to a commit was lost.") : result;
    }

    public override async Task<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        await ReachAsync();
        return await inner.ReadAsync(unit, cancellationToken);
    }

    public override Task OpenAsync(CancellationToken cancellationToken) => inner.OpenAsync(cancellationToken);

    public override ValueTask DisposeAsync()
    {
        _hanging?.TrySetResult();
        return inner.DisposeAsync();
    }

    private async Task ReachAsync()
    {
        if (_hanging is { } hanging)
        {
            // Like a driver that is in the midst of a commit, this does not look at any token.
            await hanging.Task;
        }

        if (_severed)
        {
            throw new StorageUnavailableException("The cable is pulled.");
        }
    }
}
