using System.Collections.Concurrent;
using System.Threading.Channels;
using Lintel.Sandbox;

namespace Lintel.Features.Execution;

/// <summary>The runs of this node that somebody types into, by job. A run is here from before its job is submitted until its socket is over.</summary>
internal sealed class LiveRuns
{
    private readonly ConcurrentDictionary<Guid, LiveRun> _runs = new();

    public LiveRun Add(Guid jobId) => _runs[jobId] = new LiveRun();

    public LiveRun? Find(Guid jobId) => _runs.GetValueOrDefault(jobId);

    public void Remove(Guid jobId) => _runs.TryRemove(jobId, out _);
}

/// <summary>What comes from a client while its program waits or runs.</summary>
internal sealed class LiveRun
{
    /// <summary>What may wait until the program reads it.</summary>
    private const int MaxWaiting = 256 * 1024;

    // A message of one byte holds more memory than that.
    private const int MessageCost = 128;

    private readonly Lock _gate = new();
    private readonly Channel<ReadOnlyMemory<byte>> _input = Channel.CreateUnbounded<ReadOnlyMemory<byte>>(new() { SingleReader = true });
    private SandboxRun? _run;
    private int _waiting;

    /// <summary>The terminal's size as the client told it before the program began; null when it did not.</summary>
    public TerminalSize? Resized { get; private set; }

    /// <summary>Takes input for the program; false when so much waits already that this is dropped.</summary>
    public bool TryType(ReadOnlyMemory<byte> data)
    {
        var cost = data.Length + MessageCost;
        if (Interlocked.Add(ref _waiting, cost) <= MaxWaiting)
        {
            // After its end there is nothing to type into.
            _input.Writer.TryWrite(data);
            return true;
        }

        Interlocked.Add(ref _waiting, -cost);
        return false;
    }

    /// <summary>No more input will come; the program sees the end once it has read what there is.</summary>
    public void EndInput() => _input.Writer.TryComplete();

    public void Resize(TerminalSize size)
    {
        lock (_gate)
        {
            Resized = size;
            _run?.Resize(size);
        }
    }

    /// <summary>False when the program does not run yet.</summary>
    public bool TrySignal(SandboxSignal signal) => With(run => run.Signal(signal));

    /// <summary>False when the program does not run yet.</summary>
    public bool TryKill() => With(static run => run.Kill());

    /// <summary>Hands the input to the program as fast as that takes it, until the program ends.</summary>
    public async Task TypeAsync(SandboxRun run, CancellationToken ended)
    {
        lock (_gate)
        {
            _run = run;
            if (Resized is { } size)
            {
                run.Resize(size);
            }
        }

        await foreach (var data in _input.Reader.ReadAllAsync(ended))
        {
            await run.WriteInputAsync(data, ended);
            Interlocked.Add(ref _waiting, -data.Length - MessageCost);
        }

        run.CloseInput();
    }

    private bool With(Action<SandboxRun> action)
    {
        lock (_gate)
        {
            if (_run is { } run)
            {
                action(run);
                return true;
            }

            return false;
        }
    }
}
