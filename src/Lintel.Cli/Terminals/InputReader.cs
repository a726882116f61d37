using System.Runtime.InteropServices;

namespace Lintel.Cli.Terminals;

/// <summary>
/// Reads a descriptor when asked to, so that nothing is taken from a terminal or a pipe that nobody wants; a read can be given up. What is typed while this
/// process is in the background is the shell's, and to read it would stop this process.
/// </summary>
internal sealed unsafe class InputReader : IDisposable
{
    /// <summary>A shell brings a job that runs to the foreground without a word to it.</summary>
    private const int LookAgainMilliseconds = 200;

    private readonly int _fd;
    private readonly int _wake = Libc.eventfd(0, Libc.EFD_CLOEXEC);
    private readonly PosixSignalRegistration? _continued;

    public InputReader(int fd)
    {
        _fd = fd;
        _continued = Libc.isatty(fd) == 1 ? PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Wake()) : null;
    }

    /// <summary>The number of bytes read; 0 at the end.</summary>
    public Task<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken) => Task.Run(() => Read(into.Span, cancellationToken), cancellationToken);

    public void Dispose()
    {
        _continued?.Dispose();
        _ = Libc.close(_wake);
    }

    private int Read(Span<byte> into, CancellationToken cancellationToken)
    {
        using var given = cancellationToken.UnsafeRegister(static state => ((InputReader)state!).Wake(), this);
        var entries = stackalloc Libc.PollFd[2];
        while (true)
        {
            AwaitForeground(cancellationToken);
            entries[0] = new() { Fd = _fd, Events = Libc.POLLIN };
            entries[1] = new() { Fd = _wake, Events = Libc.POLLIN };
            var ready = Libc.poll(entries, 2, -1);
            cancellationToken.ThrowIfCancellationRequested();
            if (ready < 0 || entries[0].Ready == 0 || IsInBackground)
            {
                // Interrupted, woken for a read that was given up before this one, or sent to the background in the meantime.
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

    private bool IsInBackground => _continued is not null && TerminalMode.IsInBackground(_fd);

    private void AwaitForeground(CancellationToken cancellationToken)
    {
        if (!IsInBackground)
        {
            return;
        }

        do
        {
            var entry = new Libc.PollFd { Fd = _wake, Events = Libc.POLLIN };
            _ = Libc.poll(&entry, 1, LookAgainMilliseconds);
            cancellationToken.ThrowIfCancellationRequested();
            Drain();
        }
        while (IsInBackground);

        // Before the first key is read: it is not to be echoed, nor to wait for the end of its line.
        TerminalMode.ApplyCurrent();
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
