using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lintel.Sandbox.Native;

/// <summary>
/// A file descriptor with one owner. All are close-on-exec: a descriptor without that flag goes straight through
/// bubblewrap into the guest, so what the guest gets is named one by one at the spawn.
/// </summary>
internal sealed unsafe class Descriptor(int number) : IDisposable
{
    private int _number = number;

    public int Number => _number >= 0 ? _number : throw new ObjectDisposedException(nameof(Descriptor));

    public bool IsOpen => _number >= 0;

    public static (Descriptor Read, Descriptor Write) Pipe()
    {
        var ends = stackalloc int[2];
        Libc.Check(Libc.pipe2(ends, Libc.O_CLOEXEC), "pipe2");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>
    /// A pipe in one descriptor that both reads and writes, so that its reader never sees an end: bubblewrap takes the end of the
    /// pipe at which it waits for leave to go on, and would start the program when the server dies.
    /// </summary>
    public static Descriptor EndlessPipe()
    {
        var (read, write) = Pipe();

        using (read)
        using (write)
        {
            return new Descriptor(Libc.Check(Libc.open($"/proc/self/fd/{read.Number}", Libc.O_RDWR | Libc.O_CLOEXEC), "open"));
        }
    }

    public static Descriptor Nowhere() => new(Libc.Check(Libc.open("/dev/null", Libc.O_RDWR | Libc.O_CLOEXEC), "open /dev/null"));

    /// <summary>Bytes in memory that another process can read as a file, from their beginning.</summary>
    public static Descriptor Memory(ReadOnlySpan<byte> content)
    {
        var memory = new Descriptor(Libc.Check(Libc.memfd_create("lintel", Libc.MFD_CLOEXEC), "memfd_create"));

        try
        {
            memory.WriteAll(content);
            Libc.Check((nint)Libc.lseek(memory.Number, 0, 0), "lseek");
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>A second opening of an open file, with a position of its own; the file's name may be gone or another's by now.</summary>
    public static Descriptor Reopen(SafeFileHandle file, long offset)
    {
        var held = false;

        try
        {
            file.DangerousAddRef(ref held);
            var again = new Descriptor(Libc.Check(Libc.open($"/proc/self/fd/{file.DangerousGetHandle()}", Libc.O_RDONLY | Libc.O_CLOEXEC), "open"));
            _ = Libc.lseek(again.Number, offset, 0);
            return again;
        }
        finally
        {
            if (held)
            {
                file.DangerousRelease();
            }
        }
    }

    public static SafeFileHandle ReopenAsHandle(SafeFileHandle file) => new(Reopen(file, 0)._number, ownsHandle: true);

    /// <summary>A terminal: its master for us, its slave for the guest, neither of them our controlling terminal.</summary>
    public static (Descriptor Master, Descriptor Slave) Terminal()
    {
        var master = new Descriptor(Libc.Check(Libc.posix_openpt(Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_CLOEXEC), "posix_openpt"));

        try
        {
            Libc.Check(Libc.grantpt(master.Number), "grantpt");
            Libc.Check(Libc.unlockpt(master.Number), "unlockpt");
            var name = stackalloc byte[64];
            Libc.CheckCode(Libc.ptsname_r(master.Number, name, 64), "ptsname_r");
            var path = Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
            return (master, new Descriptor(Libc.Check(Libc.open(path, Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_CLOEXEC), "open the terminal")));
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    public void SetNonBlocking()
    {
        var flags = Libc.Check(Libc.fcntl(Number, Libc.F_GETFL, 0), "fcntl");
        Libc.Check(Libc.fcntl(Number, Libc.F_SETFL, flags | Libc.O_NONBLOCK), "fcntl");
    }

    public void WriteAll(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var written = Write(content);

            if (written < 0)
            {
                throw new IOException($"Writing to a descriptor failed with error {-written}.");
            }

            content = content[written..];
        }
    }

    /// <summary>The bytes read, 0 at the end, or the negative error.</summary>
    public int Read(Span<byte> into)
    {
        fixed (byte* buffer = into)
        {
            nint count;

            do
            {
                count = Libc.read(Number, buffer, (nuint)into.Length);
            }
            while (count < 0 && Libc.Error == Libc.EINTR);

            return count < 0 ? -Libc.Error : (int)count;
        }
    }

    /// <summary>The bytes written, or the negative error.</summary>
    public int Write(ReadOnlySpan<byte> from)
    {
        fixed (byte* buffer = from)
        {
            nint count;

            do
            {
                count = Libc.write(Number, buffer, (nuint)from.Length);
            }
            while (count < 0 && Libc.Error == Libc.EINTR);

            return count < 0 ? -Libc.Error : (int)count;
        }
    }

    public void Dispose()
    {
        var open = Interlocked.Exchange(ref _number, -1);

        if (open >= 0)
        {
            _ = Libc.close(open);
        }
    }
}
