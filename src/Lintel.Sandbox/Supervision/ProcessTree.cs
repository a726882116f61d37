using System.Buffers.Text;
using System.Globalization;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>What all processes of one sandbox use together. Limits of the kernel are for one process each: a dozen children may have a dozen times the memory.</summary>
internal sealed class ProcessTree
{
    // A guest has at most this many, and the walk must end for any guest.
    private const int MaxProcesses = 4096;

    private const int TicksPerSecond = 100;     // USER_HZ, fixed for programs on every machine type of Linux

    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly Stack<int> _waiting = new();
    private readonly List<int> _found = [];
    private readonly List<(int Pid, long Start, long Ticks)> _own = [];

    public readonly record struct Usage(long ResidentBytes, TimeSpan Cpu, int Processes);

    /// <summary>The processes just measured: when each began, and the processor time of its own.</summary>
    public IReadOnlyList<(int Pid, long Start, long Ticks)> Own => _own;

    public static TimeSpan Time(long ticks) => TimeSpan.FromSeconds((double)ticks / TicksPerSecond);

    /// <summary>Whether this process, and no later one of its number, is still there.</summary>
    public bool IsThere(int pid, long start) => TryReadStat(pid, out var stat) && stat.Start == start;

    /// <summary>Walks down from the sandbox's first process, whose own few pages are not the guest's.</summary>
    public Usage Measure(int first)
    {
        long pages = 0, ticks = 0;
        _found.Clear();
        _own.Clear();
        _waiting.Clear();
        _waiting.Push(first);

        for (var seen = 0; seen < MaxProcesses && _waiting.TryPop(out var pid); seen++)
        {
            if (!TryReadStat(pid, out var stat))
            {
                continue;
            }

            ticks += stat.Ticks;
            _own.Add((pid, stat.Start, stat.OwnTicks));

            if (pid != first)
            {
                pages += stat.Pages;
                _found.Add(pid);
            }

            AddChildren(pid, stat.Threads);
        }

        return new(pages * System.Environment.SystemPageSize, Time(ticks), _found.Count);
    }

    /// <summary>
    /// The memory of the processes just found, shared pages counted once. It is dearer to ask for, so only asked when the plain
    /// sum is too large: a program that forks workers shares most of its pages with them.
    /// </summary>
    public long MeasureShared() => _found.Sum(ReadProportional);

    /// <summary>The oldest child of a process that has one thread; 0 when there is none.</summary>
    public int FirstChild(int pid) =>
        Utf8Parser.TryParse(Read($"/proc/{pid}/task/{pid}/children"), out int child, out _) ? child : 0;

    /// <summary>The process group that a process is in; 0 when it has ended.</summary>
    public int GroupOf(int pid) => TryReadStat(pid, out var stat) ? stat.Group : 0;

    private bool TryReadStat(int pid, out (int Group, long Ticks, long OwnTicks, long Pages, int Threads, long Start) stat)
    {
        stat = default;
        var text = Read($"/proc/{pid}/stat");

        // The name in parentheses may have anything in it, parentheses too; numbers begin after the last one.
        var end = text.LastIndexOf((byte)')');

        if (end < 0)
        {
            return false;
        }

        text = text[(end + 2)..];

        for (var field = 0; field <= 21; field++)
        {
            var length = text.IndexOf((byte)' ');
            var word = length < 0 ? text : text[..length];
            text = length < 0 ? [] : text[(length + 1)..];
            _ = Utf8Parser.TryParse(word, out long value, out _);

            switch (field)
            {
                case 2: stat.Group = (int)value; break;
                case 11 or 12: stat.Ticks += value; stat.OwnTicks += value; break;
                case 13 or 14: stat.Ticks += value; break;              // those of children that it waited for
                case 17: stat.Threads = (int)value; break;
                case 19: stat.Start = value; break;
                case 21: stat.Pages = value; break;
            }
        }

        return true;
    }

    private void AddChildren(int pid, int threads)
    {
        if (threads <= 1)
        {
            AddChildrenOf(pid, pid);
            return;
        }

        try
        {
            // A child belongs to the thread that made it.
            foreach (var task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                AddChildrenOf(pid, int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture));
            }
        }
        catch (IOException)
        {
            // It ended meanwhile.
        }
    }

    private void AddChildrenOf(int pid, int task)
    {
        var text = Read($"/proc/{pid}/task/{task}/children");

        while (Utf8Parser.TryParse(text, out int child, out var length))
        {
            _waiting.Push(child);
            text = text[Math.Min(length + 1, text.Length)..];
        }
    }

    private long ReadProportional(int pid)
    {
        var text = Read($"/proc/{pid}/smaps_rollup");
        var at = text.IndexOf("\nPss:"u8);

        if (at >= 0 && Utf8Parser.TryParse(text[(at + 5)..].TrimStart((byte)' '), out long kilobytes, out _))
        {
            return kilobytes * 1024;
        }

        // It may not be asked, or it is just ending and has nothing any more.
        return TryReadStat(pid, out var stat) ? stat.Pages * System.Environment.SystemPageSize : 0;
    }

    private ReadOnlySpan<byte> Read(string path)
    {
        var number = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC);

        if (number < 0)
        {
            return [];
        }

        using var file = new Descriptor(number);
        var total = 0;

        while (total < _buffer.Length && file.Read(_buffer.AsSpan(total)) is > 0 and var count)
        {
            total += count;
        }

        return _buffer.AsSpan(0, total);
    }
}
