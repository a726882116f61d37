using System.Runtime.InteropServices;

namespace Lintel.Cli.Terminals;

/// <summary>The calls that .NET has no managed form of, with the numbers of Linux.</summary>
internal static unsafe partial class Libc
{
    public const int EINTR = 4, EIO = 5, EAGAIN = 11, EPIPE = 32;
    public const short POLLIN = 1, POLLOUT = 4;
    public const int EFD_CLOEXEC = 0x80000;
    public const int O_RDWR = 2, O_CREAT = 0x40, O_CLOEXEC = 0x80000;
    public const int LOCK_EX = 2;
    public const int TCSANOW = 0, TCSAFLUSH = 2;
    public const nuint TIOCGWINSZ = 0x5413;

    /// <summary>Larger than glibc's and musl's structure (60 bytes).</summary>
    public const int TermiosSize = 128;

    /// <summary>Where <c>c_lflag</c> is in that structure, and its bit for echo.</summary>
    public const int LocalFlags = 12;
    public const uint ECHO = 8;

    [StructLayout(LayoutKind.Sequential)]
    public struct PollFd
    {
        public int Fd;
        public short Events, Ready;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct WindowSize
    {
        public ushort Rows, Columns, Width, Height;
    }

    [LibraryImport("libc")]
    public static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(PollFd* entries, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, WindowSize* size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int tcsetattr(int fd, int when, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int tcgetpgrp(int fd);

    [LibraryImport("libc")]
    public static partial int getpgrp();

    [LibraryImport("libc")]
    public static partial void cfmakeraw(byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(int fd, int operation);

    public static int Error => Marshal.GetLastPInvokeError();
}
