using System.Diagnostics;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// The watchdog of one guest: what its processes use together. It looks densely at first, since many programs end at once, and near the
/// memory limit, where each pause is memory gained.
/// </summary>
internal sealed class UsageWatch(ProcessTree processes, SandboxLimits limits)
{
    private static readonly TimeSpan s_usual = TimeSpan.FromMilliseconds(50), s_nearLimit = TimeSpan.FromMilliseconds(10);

    private long _looks;

    /// <summary>When to look next, as a timestamp; never before the program starts.</summary>
    public long Next { get; private set; } = long.MaxValue;

    public TimeSpan Cpu { get; private set; }

    /// <summary>The most that was seen; null before the first look at something.</summary>
    public long? PeakBytes { get; private set; }

    public string MemoryReason => $"Its processes together used more than {limits.MemoryBytes >> 20} MB of memory.";

    public string CpuReason => $"It used more than {limits.Cpu.TotalSeconds:0.###} s of processor time.";

    public void Start(long now) => Plan(now, 0);

    /// <summary>The limit that is exceeded, or null.</summary>
    public (SandboxVerdict Verdict, string Reason)? Look(int firstPid, long now)
    {
        var usage = processes.Measure(firstPid);
        var resident = usage.ResidentBytes;

        // Twice: when workers end between two of the readings, those that are left have a larger share, and the sum is too large.
        for (var attempt = 0; attempt < 2 && resident > limits.MemoryBytes; attempt++)
        {
            usage = processes.Measure(firstPid);
            resident = Math.Min(usage.ResidentBytes, processes.MeasureShared());
        }

        Cpu = usage.Cpu > Cpu ? usage.Cpu : Cpu;
        PeakBytes = resident > 0 ? Math.Max(PeakBytes ?? 0, resident) : PeakBytes;
        Plan(now, resident);

        return resident > limits.MemoryBytes ? (SandboxVerdict.MemoryLimit, MemoryReason)
            : Cpu >= limits.Cpu ? (SandboxVerdict.TimeLimit, CpuReason)
            : null;
    }

    private void Plan(long now, long resident)
    {
        var pause = resident > limits.MemoryBytes / 2 ? s_nearLimit : s_usual;
        var early = TimeSpan.FromMilliseconds(4 << (int)Math.Min(_looks++, 10));
        Next = now + (long)((early < pause ? early : pause).TotalSeconds * Stopwatch.Frequency);
    }
}
