using System.Buffers.Text;
using System.Globalization;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// What the kernel itself holds for one sandbox and no limit on processes sees: what is queued in sockets, and the nodes of empty files.
/// Estimates, on the high side: each socket counts as if it were full.
/// </summary>
internal sealed class KernelMemory : IDisposable
{
    // An inode, its directory entry and a name of the longest kind that has memory of its own.
    private const long BytesPerNode = 1200;

    private const int StatfsWords = 16, FilesWord = 5, FreeFilesWord = 6;      // in struct statfs of x86-64, which has 15

    private static readonly string[] s_folders = ["tmp", "dev/shm"];

    // What a socket takes unless it asks for more, which the system call filter does not let it have.
    private static readonly long s_bytesPerSocket = ReadDefaultBuffer();

    private readonly List<Descriptor> _folders = [];
    private readonly byte[] _buffer = new byte[16 * 1024];

    /// <summary>Once the program runs: before that the first process may have the host's folders still.</summary>
    public long Measure(int firstPid)
    {
        OpenFolders(firstPid);

        var bytes = _folders.Sum(CountNodes) * BytesPerNode;
        var sockets = Read($"/proc/{firstPid}/net/sockstat");
        bytes += Number(sockets, "sockets: used "u8) * s_bytesPerSocket;

        // The kernel lets these grow by themselves, to megabytes each, so they are asked one by one when there are any.
        if (Number(sockets, "TCP: inuse "u8) > 0)
        {
            bytes += SumQueues($"/proc/{firstPid}/net/tcp");
        }

        if (Number(Read($"/proc/{firstPid}/net/sockstat6"), "TCP6: inuse "u8) > 0)
        {
            bytes += SumQueues($"/proc/{firstPid}/net/tcp6");
        }

        return bytes;
    }

    public void Dispose()
    {
        _folders.ForEach(folder => folder.Dispose());
        _folders.Clear();
    }

    /// <summary>Once, and held: neither the mounts nor the first process's root can be changed from inside.</summary>
    private void OpenFolders(int firstPid)
    {
        if (_folders.Count > 0)
        {
            return;
        }

        foreach (var folder in s_folders)
        {
            var number = Libc.open($"/proc/{firstPid}/root/{folder}", Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);

            if (number >= 0)
            {
                _folders.Add(new Descriptor(number));
            }
        }
    }

    private static unsafe long CountNodes(Descriptor folder)
    {
        var words = stackalloc long[StatfsWords];
        return Libc.fstatfs(folder.Number, words) == 0 ? words[FilesWord] - words[FreeFilesWord] : 0;
    }

    private static long Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> after)
    {
        var at = text.IndexOf(after);
        return at >= 0 && Utf8Parser.TryParse(text[(at + after.Length)..], out long value, out _) ? value : 0;
    }

    /// <summary>The two queues of each line: the fifth column, in hexadecimal with a colon between.</summary>
    private static long SumQueues(string path)
    {
        try
        {
            return File.ReadLines(path).Skip(1).Sum(line =>
            {
                var columns = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
                return columns.Length == 6 && columns[4].Split(':') is [var sending, var receiving]
                    ? long.Parse(sending, NumberStyles.HexNumber, CultureInfo.InvariantCulture) + long.Parse(receiving, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                    : 0;
            });
        }
        catch (IOException)
        {
            return 0;       // it ended meanwhile
        }
    }

    private static long ReadDefaultBuffer()
    {
        try
        {
            return long.Parse(File.ReadAllText("/proc/sys/net/core/wmem_default"), CultureInfo.InvariantCulture);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 212_992;     // the kernel's own, where a container hides the setting
        }
    }

    private ReadOnlySpan<byte> Read(string path)
    {
        var number = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC);

        if (number < 0)
        {
            return [];
        }

        using var file = new Descriptor(number);
        return _buffer.AsSpan(0, Math.Max(0, file.Read(_buffer)));
    }
}
