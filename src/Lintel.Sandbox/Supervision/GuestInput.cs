using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>Input on its way to a guest, which takes it when it likes. Bounded, so that a guest that does not read costs a megabyte at most.</summary>
internal sealed class GuestInput
{
    private const int MaxWaiting = 1 << 20;

    private readonly Queue<(ReadOnlyMemory<byte> Data, TaskCompletionSource? Written)> _parts = new();
    private long _waiting;
    private int _offset;
    private bool _ends;

    public bool IsWaiting => _parts.Count > 0;

    /// <summary>All is handed over and no more will come.</summary>
    public bool IsOver => _ends && _parts.Count == 0;

    /// <summary>What the request brings along; its own rules bound it.</summary>
    public void Start(ReadOnlyMemory<byte> data)
    {
        if (!data.IsEmpty)
        {
            _parts.Enqueue((data, null));
        }
    }

    public void Add(ReadOnlyMemory<byte> data, TaskCompletionSource written)
    {
        if (_ends)
        {
            written.TrySetResult();     // as writing to a program that has closed its input: nobody is told
        }
        else if (_waiting + data.Length > MaxWaiting)
        {
            written.TrySetException(new SandboxException("The program does not read its input, and more than 1 MB of it is waiting already."));
        }
        else
        {
            _waiting += data.Length;
            _parts.Enqueue((data, written));
        }
    }

    /// <summary>No more will come. A terminal has no other end than Ctrl+D, typed.</summary>
    public void End(bool typed)
    {
        if (typed && !_ends)
        {
            _parts.Enqueue((new byte[] { 4 }, null));
        }

        _ends = true;
    }

    /// <summary>Hands over what the guest's end takes now, or drops all when there is none any more. True when something went.</summary>
    public bool Feed(Descriptor? end)
    {
        var any = false;

        while (_parts.TryPeek(out var part))
        {
            var written = end is { IsOpen: true } ? end.Write(part.Data.Span[_offset..]) : -Libc.EIO;

            if (written == -Libc.EAGAIN)
            {
                return any;
            }

            any = true;

            if (written >= 0 && _offset + written < part.Data.Length)
            {
                _offset += written;
                continue;
            }

            // Whether all was written or the guest has closed its end: this part is done.
            _parts.Dequeue();
            _offset = 0;

            if (part.Written is not null)
            {
                _waiting -= part.Data.Length;
                part.Written.TrySetResult();
            }
        }

        return any;
    }
}
