using System.Runtime.InteropServices;

namespace Lintel.Cli.Terminals;

/// <summary>Reads a descriptor when asked to, so that nothing is taken from a terminal or a pipe that nobody wants; a read can be given up.</summary>
internal sealed unsafe class InputReader : IDisposable
{
    private readonly int _fd;
    private readonly int _wake = Libc.eventfd(0, Libc.EFD_CLOEXEC);

    public InputReader(int fd) => _fd = fd;

    /// <summary>The number of bytes read; 0 at the end.</summary>
    public Task<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken) => Task.Run(() => Read(into.Span, cancellationToken), cancellationToken);

    public void Dispose() => _ = Libc.close(_wake);

    private int Read(Span<byte> into, CancellationToken cancellationToken)
    {
        using var given = cancellationToken.UnsafeRegister(static state => ((InputReader)state!).Wake(), this);
        var entries = stackalloc Libc.PollFd[2];
        while (true)
        {
            entries[0] = new() { Fd = _fd, Events = Libc.POLLIN };
            entries[1] = new() { Fd = _wake, Events = Libc.POLLIN };
            var ready = Libc.poll(entries, 2, -1);
            cancellationToken.ThrowIfCancellationRequested();
            if (ready < 0 || entries[0].Ready == 0)
            {
                // Interrupted, or woken for a read that was given up before this one.
                Drain();
                continue;
            }

            nint count;
            fixed (byte* buffer = into)
            {
                count = Libc.read(_fd, buffer, (nuint)into.Length);
            }

            if (count >= 0)
            {
                return (int)count;
            }

            switch (Libc.Error)
            {
                case Libc.EINTR or Libc.EAGAIN:
                    break;
                case Libc.EIO:
                    // The terminal is gone, or belongs to others now.
                    return 0;
                default:
                    throw new IOException(Marshal.GetPInvokeErrorMessage(Libc.Error));
            }
        }
    }

    private void Wake()
    {
        var one = 1UL;
        _ = Libc.write(_wake, (byte*)&one, sizeof(ulong));
    }

    private void Drain()
    {
        var entry = new Libc.PollFd { Fd = _wake, Events = Libc.POLLIN };
        if (Libc.poll(&entry, 1, 0) > 0)
        {
            ulong count;
            _ = Libc.read(_wake, (byte*)&count, sizeof(ulong));
        }
    }
}
