using System.Text;

namespace Lintel.Cli.Terminals;

/// <summary>
/// Standard input, output and error. Not those of <see cref="Console"/>: it switches a terminal's arrow keys to another mode, which the program that is run
/// should find as they were, and it hides that a reader of a pipe went away.
/// </summary>
internal static unsafe class StandardStreams
{
    public const int InputFd = 0;
    public const int OutputFd = 1;
    public const int ErrorFd = 2;

    /// <summary>Whether the last that was written to the terminal ended a line.</summary>
    private static volatile bool _isAtLineStart = true;

    public static bool InputIsTerminal { get; } = Libc.isatty(InputFd) == 1;

    public static bool OutputIsTerminal { get; } = Libc.isatty(OutputFd) == 1;

    public static bool ErrorIsTerminal { get; } = Libc.isatty(ErrorFd) == 1;

    public static Stream Output { get; } = new DescriptorStream(OutputFd);

    public static Stream Error { get; } = new DescriptorStream(ErrorFd);

    public static TextWriter Out { get; } = Writer(Output);

    public static TextWriter Err { get; } = Writer(Error);

    /// <summary>The size of the terminal, or the usual one where there is none.</summary>
    public static (int Columns, int Rows) Size()
    {
        foreach (var fd in (ReadOnlySpan<int>)[OutputFd, InputFd, ErrorFd])
        {
            Libc.WindowSize size;
            if (Libc.ioctl(fd, Libc.TIOCGWINSZ, &size) == 0 && size is { Columns: > 0, Rows: > 0 })
            {
                return (Math.Min((int)size.Columns, 1000), Math.Min((int)size.Rows, 1000));
            }
        }

        return (80, 24);
    }

    /// <summary>Says something to the user on standard error, on a line of its own.</summary>
    public static void Tell(string message)
    {
        var line = "lintel: " + Printable(message);

        // A raw terminal does not go to the beginning of the next line by itself.
        Err.Write(TerminalMode.IsRaw ? $"{(_isAtLineStart ? "" : "\r\n")}{line}\r\n" : $"{line}\n");
    }

    /// <summary>Text from others without what a terminal would obey.</summary>
    public static string Printable(string text) => string.Create(text.Length, text, static (into, from) =>
    {
        for (var i = 0; i < from.Length; i++)
        {
            into[i] = char.IsControl(from[i]) && from[i] is not ('\n' or '\t') ? '\uFFFD' : from[i];
        }
    });

    private static StreamWriter Writer(Stream stream) => new(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };

    /// <summary>Writes to a descriptor at its own position, which others may share, and tells when its reader is gone.</summary>
    private sealed class DescriptorStream(int fd) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!buffer.IsEmpty && (fd == OutputFd ? OutputIsTerminal : ErrorIsTerminal))
            {
                _isAtLineStart = buffer[^1] == '\n';
            }

            while (!buffer.IsEmpty)
            {
                nint written;
                fixed (byte* bytes = buffer)
                {
                    written = Libc.write(fd, bytes, (nuint)buffer.Length);
                }

                if (written >= 0)
                {
                    buffer = buffer[(int)written..];
                }
                else if (Libc.Error == Libc.EAGAIN)
                {
                    // Somebody who shares the terminal set it to not block.
                    var entry = new Libc.PollFd { Fd = fd, Events = Libc.POLLOUT };
                    _ = Libc.poll(&entry, 1, -1);
                }
                else if (Libc.Error == Libc.EPIPE)
                {
                    throw new BrokenPipeException();
                }
                else if (Libc.Error != Libc.EINTR)
                {
                    throw new CommandException(
                        ExitCode.Input,
                        $"Standard {(fd == OutputFd ? "output" : "error")} cannot be written: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(Libc.Error)}.");
                }
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>Whoever read the output has gone, as in <c>lintel … | head</c>.</summary>
internal sealed class BrokenPipeException() : IOException("The reader of the output has gone.");
