using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Lintel.Cli.Infrastructure;

/// <summary>A program on a terminal of its own, as in a window: what it shows, what is typed, the window's size, how the terminal treats keys.</summary>
public sealed partial class PseudoTerminal : IDisposable
{
    private const int Columns = 100;
    private const int Rows = 30;
    private const int ReadWrite = 2, NoControllingTerminal = 0x100, CloseOnExec = 0x80000;
    private const nuint SetWindowSize = 0x5414;
    private const short NewSession = 0x80, DefaultSignals = 0x04;
    private const int LocalFlags = 12;
    private const uint Signals = 1, Lines = 2, Echoes = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly int _master;

    // Kept open: the terminal outlives its program, so that one can look at how it was left.
    private readonly int _slave;
    private readonly int _process;
    private readonly StringBuilder _shown = new();
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PseudoTerminal(int master, int slave, int process)
    {
        (_master, _slave, _process) = (master, slave, process);
        new Thread(Read) { IsBackground = true }.Start();
        new Thread(Wait) { IsBackground = true }.Start();
    }

    /// <summary>How the process ends: its code, or 128 and the number of the signal that ended it.</summary>
    public Task<int> Exited => _exited.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    /// <summary>Everything that was shown so far.</summary>
    public string Shown
    {
        get
        {
            lock (_shown)
            {
                return _shown.ToString();
            }
        }
    }

    /// <summary>Whether keys are echoed, collected to lines and turned into signals, as a shell expects it.</summary>
    public unsafe bool IsCooked
    {
        get
        {
            var termios = stackalloc byte[128];
            Check(tcgetattr(_slave, termios));
            const uint cooked = Signals | Lines | Echoes;
            return (*(uint*)(termios + LocalFlags) & cooked) == cooked;
        }
    }

    public unsafe bool Echo
    {
        get
        {
            var termios = stackalloc byte[128];
            Check(tcgetattr(_slave, termios));
            return (*(uint*)(termios + LocalFlags) & Echoes) != 0;
        }
    }

    public static unsafe PseudoTerminal Start(string[] arguments, string[] environment, string folder)
    {
        var master = Check(posix_openpt(ReadWrite | NoControllingTerminal | CloseOnExec));
        Check(grantpt(master));
        Check(unlockpt(master));
        var name = stackalloc byte[64];
        Check(ptsname_r(master, name, 64));
        var slave = Check(open(name, ReadWrite | NoControllingTerminal | CloseOnExec));
        SetSize(master, Columns, Rows);

        // Larger than the C library's structures.
        var attributes = stackalloc byte[512];
        var actions = stackalloc byte[256];
        var signals = stackalloc byte[128];
        new Span<byte>(signals, 128).Fill(0xFF);
        Check(posix_spawnattr_init(attributes));
        Check(posix_spawnattr_setflags(attributes, NewSession | DefaultSignals));
        Check(posix_spawnattr_setsigdefault(attributes, signals));
        Check(posix_spawn_file_actions_init(actions));

        // The first terminal that the leader of a session opens is its own.
        Check(posix_spawn_file_actions_addopen(actions, 0, name, ReadWrite, 0));
        Check(posix_spawn_file_actions_adddup2(actions, 0, 1));
        Check(posix_spawn_file_actions_adddup2(actions, 0, 2));
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + "\0"))
        {
            Check(posix_spawn_file_actions_addchdir_np(actions, path));
        }

        int process;
        using var arguments_ = new Texts(arguments);
        using var environment_ = new Texts(environment);
        Check(posix_spawn(&process, arguments_.Pointers[0], actions, attributes, arguments_.Pointers, environment_.Pointers));
        return new PseudoTerminal(master, slave, process);
    }

    public unsafe void Type(string keys)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(keys))
        {
            Check((int)write(_master, bytes, (nuint)Encoding.UTF8.GetByteCount(keys)));
        }
    }

    public void Resize(int columns, int rows) => SetSize(_master, columns, rows);

    public void Send(PosixSignal signal) => Check(kill(_process, signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGTERM => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(signal)),
    }));

    /// <summary>Waits until this has been shown.</summary>
    public async Task ShowsAsync(string text)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (true)
        {
            Task changed;
            lock (_shown)
            {
                if (_shown.ToString().Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail($"'{text}' was not shown, but:\n{Shown}");
            }
        }
    }

    public void Dispose()
    {
        if (!_exited.Task.IsCompleted)
        {
            _ = kill(_process, 9);
        }

        _ = close(_slave);
    }

    private unsafe void Read()
    {
        var buffer = stackalloc byte[4096];
        var characters = new char[4096];
        var decoder = Encoding.UTF8.GetDecoder();
        while (read(_master, buffer, 4096) is > 0 and var count)
        {
            var length = decoder.GetChars(new ReadOnlySpan<byte>(buffer, (int)count), characters, flush: false);
            lock (_shown)
            {
                _shown.Append(characters, 0, length);
                _changed.TrySetResult();
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        _ = close(_master);
    }

    private unsafe void Wait()
    {
        int status;
        while (waitpid(_process, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != 4)
            {
                _exited.TrySetException(new Win32Exception());
                return;
            }
        }

        _exited.TrySetResult((status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F));
    }

    private static unsafe void SetSize(int terminal, int columns, int rows)
    {
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        Check(ioctl(terminal, SetWindowSize, size));
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception();

    /// <summary>A list of texts as C has them.</summary>
    private unsafe readonly ref struct Texts
    {
        private readonly int _count;

        public Texts(string[] texts)
        {
            _count = texts.Length;
            Pointers = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < _count; i++)
            {
                Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
            }
        }

        public byte** Pointers { get; }

        public void Dispose()
        {
            for (var i = 0; i < _count; i++)
            {
                Marshal.FreeCoTaskMem((nint)Pointers[i]);
            }

            NativeMemory.Free(Pointers);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int grantpt(int master);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlockpt(int master);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int ptsname_r(int master, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int open(byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int ioctl(int fd, nuint request, ushort* size);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int waitpid(int process, int* status, int options);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn(int* process, byte* path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_addopen(byte* actions, int fd, byte* path, int flags, uint mode);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_adddup2(byte* actions, int from, int to);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_addchdir_np(byte* actions, byte* path);
}
