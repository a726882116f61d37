using System.Diagnostics;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// The watchdog of one guest: what its processes use together. It looks densely at first, since many programs end at once, and near the
/// memory limit, where each pause is memory gained.
/// </summary>
internal sealed class UsageWatch(ProcessTree processes, SandboxLimits limits) : IDisposable
{
    private readonly KernelMemory _kernel = new();
    private Dictionary<(int Pid, long Start), long> _seen = [];
    private long _goneTicks;

    private static readonly TimeSpan s_usual = TimeSpan.FromMilliseconds(50), s_nearLimit = TimeSpan.FromMilliseconds(10);

    // What a look at a hundred processes that share a gigabyte costs is time in which no other run is seen to. But a guest that has made
    // its looks dear must not gain a long time unseen.
    private const int PauseForCost = 10;
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(2);

    private long _looks;

    /// <summary>When to look next, as a timestamp; never before the program starts.</summary>
    public long Next { get; private set; } = long.MaxValue;

    public TimeSpan Cpu { get; private set; }

    /// <summary>The most that was seen; null before the first look at something.</summary>
    public long? PeakBytes { get; private set; }

    public string MemoryReason => $"Its processes together used more than {limits.MemoryBytes >> 20} MB of memory.";

    public string CpuReason => $"It used more than {limits.Cpu.TotalSeconds:0.###} s of processor time.";

    public void Start(long now) => Plan(now, 0, TimeSpan.Zero);

    /// <summary>The limit that is exceeded, or null.</summary>
    public (SandboxVerdict Verdict, string Reason)? Look(int firstPid)
    {
        var began = Stopwatch.GetTimestamp();
        var usage = processes.Measure(firstPid);
        var kernel = usage.Processes > 0 ? _kernel.Measure(firstPid) : 0;
        var resident = usage.ResidentBytes + kernel;

        // Twice: when workers end between two of the readings, those that are left have a larger share, and the sum is too large.
        for (var attempt = 0; attempt < 2 && resident > limits.MemoryBytes; attempt++)
        {
            usage = processes.Measure(firstPid);
            resident = Math.Min(usage.ResidentBytes, processes.MeasureShared()) + kernel;
        }

        var cpu = Later(usage.Cpu, CountOwn());
        Cpu = Later(cpu, Cpu);
        PeakBytes = resident > 0 ? Math.Max(PeakBytes ?? 0, resident) : PeakBytes;
        Plan(Stopwatch.GetTimestamp(), resident, Stopwatch.GetElapsedTime(began));

        return resident > limits.MemoryBytes ? (SandboxVerdict.MemoryLimit, MemoryReason)
            : Cpu >= limits.Cpu ? (SandboxVerdict.TimeLimit, CpuReason)
            : null;
    }

    /// <summary>
    /// Each process's own time, with what those had that have gone since. The kernel adds the time of a child to its parent's only when the
    /// parent waits for it, and a program may ignore that its children end. Never more than was used, so the larger of the two sums is taken.
    /// </summary>
    private TimeSpan CountOwn()
    {
        Dictionary<(int Pid, long Start), long> now = [];

        foreach (var (pid, start, ticks) in processes.Own)
        {
            now[(pid, start)] = ticks;
        }

        // One that got a new parent during the walk was not met, and is not gone.
        foreach (var (process, ticks) in _seen)
        {
            if (!now.ContainsKey(process))
            {
                if (processes.IsThere(process.Pid, process.Start))
                {
                    now[process] = ticks;
                }
                else
                {
                    _goneTicks += ticks;
                }
            }
        }

        _seen = now;
        return ProcessTree.Time(_goneTicks + now.Values.Sum());
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    public void Dispose() => _kernel.Dispose();

    private void Plan(long now, long resident, TimeSpan cost)
    {
        var pause = resident > limits.MemoryBytes / 2 ? s_nearLimit : s_usual;
        var early = TimeSpan.FromMilliseconds(4 << (int)Math.Min(_looks++, 10));
        pause = early < pause ? early : pause;

        if (cost * PauseForCost > pause)
        {
            pause = cost * PauseForCost < s_longestPause ? cost * PauseForCost : s_longestPause;
        }

        Next = now + (long)(pause.TotalSeconds * Stopwatch.Frequency);
    }
}
