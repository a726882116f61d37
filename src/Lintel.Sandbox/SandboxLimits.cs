namespace Lintel.Sandbox;

/// <summary>What one run may use. Every member has a bound that a request cannot lift.</summary>
public sealed record SandboxLimits
{
    private const long Megabyte = 1 << 20;

    /// <summary>Time from the program's start to its end. It always applies: some programs neither fail nor end when memory is short.</summary>
    public TimeSpan Wall { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Processor time of all its processes together.</summary>
    public TimeSpan Cpu { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest time without input or output; none unless set.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>Resident memory of all its processes together, and the private memory of any one of them.</summary>
    public long MemoryBytes { get; init; } = 512 * Megabyte;

    /// <summary>Address space of one process. It stops shared mappings at once; runtimes that reserve much (node, Java, Go, .NET) need it unset.</summary>
    public long? AddressSpaceBytes { get; init; }

    /// <summary>Processes and threads, two of which are the sandbox's own.</summary>
    public int Processes { get; init; } = 64;

    public int OpenFiles { get; init; } = 256;

    /// <summary>The size of any one file it writes.</summary>
    public long FileBytes { get; init; } = 32 * Megabyte;

    /// <summary>All of its files in /tmp together.</summary>
    public long WorkBytes { get; init; } = 64 * Megabyte;

    /// <summary>/dev/shm, for multiprocessing.</summary>
    public long SharedMemoryBytes { get; init; } = 16 * Megabyte;

    /// <summary>What it may print, on all streams together.</summary>
    public long OutputBytes { get; init; } = 2 * Megabyte;

    /// <summary>The most that any run may have, unless the host's options say otherwise.</summary>
    public static SandboxLimits Maximum { get; } = new()
    {
        Wall = TimeSpan.FromMinutes(5),
        Cpu = TimeSpan.FromMinutes(5),
        Idle = null,
        MemoryBytes = 2048 * Megabyte,
        Processes = 256,
        OpenFiles = 1024,
        FileBytes = 256 * Megabyte,
        WorkBytes = 512 * Megabyte,
        SharedMemoryBytes = 64 * Megabyte,
        OutputBytes = 64 * Megabyte,
    };

    /// <summary>These limits, each at most what <paramref name="most"/> allows. Values too small to start anything are refused.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A limit is too small.</exception>
    public SandboxLimits Within(SandboxLimits most)
    {
        // Another service's limit below one second turned out to mean no limit: what cannot be kept is refused instead.
        AtLeast(Wall, TimeSpan.FromMilliseconds(100), "wall time");
        AtLeast(Cpu, TimeSpan.FromMilliseconds(100), "processor time");
        AtLeast(Idle ?? TimeSpan.MaxValue, TimeSpan.FromMilliseconds(100), "idle time");
        AtLeast(MemoryBytes, 16 * Megabyte, "memory");
        AtLeast(AddressSpaceBytes ?? long.MaxValue, 16 * Megabyte, "address space");
        AtLeast(Processes, 4, "processes");
        AtLeast(OpenFiles, 16, "open files");
        AtLeast(FileBytes, 4096, "file size");
        AtLeast(WorkBytes, 4096, "work space");
        AtLeast(SharedMemoryBytes, 4096, "shared memory");
        AtLeast(OutputBytes, 1, "output");

        return new SandboxLimits
        {
            Wall = Least(Wall, most.Wall),
            Cpu = Least(Cpu, most.Cpu),
            Idle = Least(Idle, most.Idle),
            MemoryBytes = Math.Min(MemoryBytes, most.MemoryBytes),
            AddressSpaceBytes = Least(AddressSpaceBytes, most.AddressSpaceBytes),
            Processes = Math.Min(Processes, most.Processes),
            OpenFiles = Math.Min(OpenFiles, most.OpenFiles),
            FileBytes = Math.Min(FileBytes, most.FileBytes),
            WorkBytes = Math.Min(WorkBytes, most.WorkBytes),
            SharedMemoryBytes = Math.Min(SharedMemoryBytes, most.SharedMemoryBytes),
            OutputBytes = Math.Min(OutputBytes, most.OutputBytes),
        };
    }

    private static void AtLeast<T>(T value, T least, string what)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, $"The limit of {what} must be at least {least}.");
        }
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static T? Least<T>(T? one, T? other)
        where T : struct, IComparable<T> =>
        one is { } first && other is { } second ? (first.CompareTo(second) < 0 ? first : second) : one ?? other;
}
