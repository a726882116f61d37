using System.Runtime.CompilerServices;
using System.Text;
using Lintel.Sandbox.Supervision;

namespace Lintel.Sandbox;

/// <summary>A program that runs, or did. Disposing of it ends the program if it still runs.</summary>
public sealed class SandboxRun : IAsyncDisposable
{
    private readonly Supervisor _supervisor;

    // What waits for the supervisor, once each however often it is asked for: a client can send a hundred thousand signals a second.
    private int _signals;           // a bit for each number
    private long _size = NoSize;
    private int _inputEnds, _killed;

    private const long NoSize = -1;

    internal SandboxRun(Supervisor supervisor, SupervisedProcess process)
    {
        _supervisor = supervisor;
        Process = process;
    }

    internal SupervisedProcess Process { get; }

    /// <summary>
    /// How it ended, once no process of it is left. It does not wait for the output to be read.
    /// It fails with a <see cref="SandboxException"/> when the program could not be started at all.
    /// </summary>
    public Task<SandboxResult> Completion => Process.Completion;

    /// <summary>
    /// What the program prints, as it prints it, up to its end. One reader, once. While it is not read, the program is held
    /// up when it prints more than a few hundred kilobytes.
    /// </summary>
    public IAsyncEnumerable<OutputChunk> ReadOutputAsync(CancellationToken cancellationToken = default) =>
        Process.Output.ReadAllAsync(cancellationToken);

    /// <summary>The same as text. A character whose bytes arrive apart comes whole; bytes that are no UTF-8 come as U+FFFD.</summary>
    public async IAsyncEnumerable<OutputText> ReadTextAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Decoder[] decoders = [Encoding.UTF8.GetDecoder(), Encoding.UTF8.GetDecoder()];
        var characters = new char[Encoding.UTF8.GetMaxCharCount(OutputQueue.BufferSize)];

        await foreach (var chunk in ReadOutputAsync(cancellationToken))
        {
            var count = decoders[(int)chunk.Stream].GetChars(chunk.Data.Span, characters, flush: false);

            if (count > 0)
            {
                yield return new OutputText(chunk.Stream, new string(characters, 0, count));
            }
        }

        foreach (var stream in (OutputStream[])[OutputStream.Stdout, OutputStream.Stderr])
        {
            // The first bytes of a character that never came whole are not lost in silence.
            var count = decoders[(int)stream].GetChars([], characters, flush: true);

            if (count > 0)
            {
                yield return new OutputText(stream, new string(characters, 0, count));
            }
        }
    }

    /// <summary>
    /// Hands input to the program; done when the program, or the pipe to it, has taken it. Input for one that has ended or has
    /// closed its input is dropped. More than 1 MB that the program does not read is refused.
    /// </summary>
    public async Task WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // A copy: the caller may use its buffer again when it stops waiting.
        ReadOnlyMemory<byte> own = data.ToArray();

        if (_supervisor.Post(Process, () => Process.QueueInput(own, written)))
        {
            await written.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends the input: closes the pipe, or types Ctrl+D on the terminal.</summary>
    public void CloseInput()
    {
        if (Interlocked.Exchange(ref _inputEnds, 1) == 0)
        {
            _supervisor.Post(Process, Process.EndInput);
        }
    }

    /// <summary>Tells the terminal its new size; nothing without one. Of sizes that come faster than they can be told, the last counts.</summary>
    public void Resize(TerminalSize size)
    {
        if (Interlocked.Exchange(ref _size, ((long)size.Columns << 16) | size.Rows) == NoSize)
        {
            _supervisor.Post(Process, () =>
            {
                var last = Interlocked.Exchange(ref _size, NoSize);
                Process.Resize(new TerminalSize((ushort)(last >> 16), (ushort)last));
            });
        }
    }

    /// <summary>
    /// Sends a signal to the program, or to what is in its terminal's foreground. As everywhere, one that is sent again before it
    /// was delivered arrives once.
    /// </summary>
    public void Signal(SandboxSignal signal)
    {
        if (Interlocked.Or(ref _signals, 1 << (int)signal) == 0)
        {
            _supervisor.Post(Process, SendSignals);
        }
    }

    /// <summary>Ends the program and all it has started; the verdict is <see cref="SandboxVerdict.Cancelled"/> unless it has ended before.</summary>
    public void Kill()
    {
        if (Interlocked.Exchange(ref _killed, 1) == 0)
        {
            _supervisor.Post(Process, () => Process.Stop(SandboxVerdict.Cancelled, "It was cancelled."));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        Process.Output.Abandon();

        // How it ended is for whoever awaits Completion.
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void SendSignals()
    {
        var signals = Interlocked.Exchange(ref _signals, 0);

        foreach (var signal in Enum.GetValues<SandboxSignal>())
        {
            if ((signals & (1 << (int)signal)) != 0)
            {
                Process.Send(signal);
            }
        }
    }
}
