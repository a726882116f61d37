using System.Runtime.InteropServices;

namespace Lintel.Cli.Terminals;

/// <summary>
/// Changes how the terminal on standard input treats keys, and puts it back as it was: when disposed, and also when the process ends in any way
/// that leaves it a last word.
/// </summary>
internal sealed unsafe class TerminalMode : IDisposable
{
    private static readonly PosixSignal[] Endings = [PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM];

    private readonly Lock _gate = new();
    private readonly byte[] _before = new byte[Libc.TermiosSize];
    private readonly byte[] _wanted;
    private readonly bool _makesRaw;
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isRestored;

    private TerminalMode(Action<byte[]> change, bool makesRaw)
    {
        _makesRaw = makesRaw;
        fixed (byte* before = _before)
        {
            if (Libc.tcgetattr(StandardStreams.InputFd, before) != 0)
            {
                throw new CommandException(ExitCode.Input, $"The terminal cannot be read: {Marshal.GetPInvokeErrorMessage(Libc.Error)}.");
            }
        }

        _wanted = [.. _before];
        change(_wanted);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnCrash;

        // First of all handlers of these signals: whatever the others do, the terminal is as it was.
        _signals.AddRange(Endings.Select(signal => PosixSignalRegistration.Create(signal, _ => Restore())));

        // Who was stopped and comes back finds the terminal as the shell had it.
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Apply()));
        Apply();
    }

    /// <summary>Whether line breaks must be written as a terminal takes them.</summary>
    public static bool IsRaw { get; private set; }

    /// <summary>Every key goes to the program, Ctrl+C too, and what it prints comes out unchanged.</summary>
    public static TerminalMode Raw() => new(static termios =>
    {
        fixed (byte* bytes = termios)
        {
            Libc.cfmakeraw(bytes);
        }
    }, makesRaw: true);

    /// <summary>What is typed is not shown.</summary>
    public static TerminalMode NoEcho() => new(static termios =>
    {
        var flags = MemoryMarshal.Cast<byte, uint>(termios.AsSpan(Libc.LocalFlags, sizeof(uint)));
        flags[0] &= ~Libc.ECHO;
    }, makesRaw: false);

    public void Dispose()
    {
        Restore();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnCrash;
        _signals.ForEach(static signal => signal.Dispose());
    }

    private void Apply()
    {
        lock (_gate)
        {
            if (!_isRestored)
            {
                Set(_wanted);
                IsRaw = _makesRaw;
            }
        }
    }

    private void Restore()
    {
        lock (_gate)
        {
            if (!_isRestored)
            {
                _isRestored = true;
                Set(_before);
                IsRaw = false;
            }
        }
    }

    private static void Set(byte[] termios)
    {
        if (Libc.tcgetpgrp(StandardStreams.InputFd) != Libc.getpgrp())
        {
            // In the background the terminal is the shell's, and to touch it would stop this process; SIGCONT comes with the way back.
            return;
        }

        fixed (byte* bytes = termios)
        {
            while (Libc.tcsetattr(StandardStreams.InputFd, Libc.TCSANOW, bytes) != 0 && Libc.Error == Libc.EINTR)
            {
            }
        }
    }

    private void OnExit(object? sender, EventArgs e) => Restore();

    private void OnCrash(object sender, UnhandledExceptionEventArgs e) => Restore();
}
