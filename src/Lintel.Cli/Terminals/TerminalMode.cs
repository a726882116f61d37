using System.Runtime.InteropServices;

namespace Lintel.Cli.Terminals;

/// <summary>
/// Changes how the terminal on standard input treats keys, and puts it back as it was: when disposed, and also when the process ends in any way
/// that leaves it a last word.
/// </summary>
internal sealed unsafe class TerminalMode : IDisposable
{
    private static readonly PosixSignal[] Endings = [PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM];

    private static TerminalMode? _current;

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
        _current = this;
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

    /// <summary>Whether others have the terminal: a shell, or what it runs in the foreground.</summary>
    public static bool IsInBackground(int fd) => Libc.tcgetpgrp(fd) is >= 0 and var foreground && foreground != Libc.getpgrp();

    /// <summary>Sets the terminal as it is wanted now, for a process that comes to the foreground.</summary>
    public static void ApplyCurrent() => _current?.Apply();

    public void Dispose()
    {
        Restore();
        _current = null;
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
                IsRaw = Set(_wanted, Libc.TCSANOW) && _makesRaw;
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

                // What a terminal answers to what the program printed would be typed at the shell; what follows a password is meant for it.
                Set(_before, _makesRaw ? Libc.TCSAFLUSH : Libc.TCSANOW);
                IsRaw = false;
            }
        }
    }

    /// <returns>False in the background: there the terminal is the shell's, and to touch it would stop this process.</returns>
    private static bool Set(byte[] termios, int when)
    {
        if (Libc.tcgetpgrp(StandardStreams.InputFd) != Libc.getpgrp())
        {
            return false;
        }

        fixed (byte* bytes = termios)
        {
            while (Libc.tcsetattr(StandardStreams.InputFd, when, bytes) != 0 && Libc.Error == Libc.EINTR)
            {
            }
        }

        return true;
    }

    private void OnExit(object? sender, EventArgs e) => Restore();

    private void OnCrash(object sender, UnhandledExceptionEventArgs e) => Restore();
}
