using Lintel.Features.Jobs;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Execution;

/// <summary>Whether this server runs code.</summary>
internal enum ExecutionMode
{
    /// <summary>It does where the sandbox holds, and does everything else where it does not.</summary>
    Auto,

    /// <summary>It is not ready for requests until it can.</summary>
    Required,

    Off,
}

/// <summary>How much code this server runs, and the most that any run may have.</summary>
internal sealed record ExecutionOptions
{
    public ExecutionMode Mode { get; init; }

    /// <summary>Programs that run at once on this node.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Batches that run at once on this node, each one program at a time.</summary>
    public int BatchConcurrency => Math.Max(1, Concurrency / 4);

    /// <summary>Programs of one owner that run at once on all nodes.</summary>
    public required int ConcurrencyPerOwner { get; init; }

    public int MaxWallSeconds { get; init; } = 300;

    public int MaxCpuSeconds { get; init; } = 60;

    public int MaxMemoryMb { get; init; } = 1024;

    public int MaxProcesses { get; init; } = 128;

    public int MaxOutputKb { get; init; } = 16 * 1024;

    public int MaxFileMb { get; init; } = 128;

    /// <summary>Where bubblewrap is; null to look for it in the system's folders.</summary>
    public string? Bubblewrap { get; init; }

    /// <summary>What compiled programs are kept in.</summary>
    public required string CacheFolder { get; init; }

    public long CacheBytes { get; init; }

    public static ExecutionOptions Read(SettingsReader settings)
    {
        // A person's program waits for its person most of the time, so there may be more of them than processors; other kinds of jobs keep a quarter of the places.
        var places = Math.Max(1, JobOptions.Read(settings).Concurrency * 3 / 4);
        var concurrency = settings.Number("EXECUTE_CONCURRENCY", Math.Min(Math.Max(4, 2 * Environment.ProcessorCount), places), 1, 1000);
        return new()
        {
            Mode = settings.Choice("EXECUTE", ExecutionMode.Auto, ("auto", ExecutionMode.Auto), ("required", ExecutionMode.Required), ("off", ExecutionMode.Off)),
            Concurrency = concurrency,
            ConcurrencyPerOwner = settings.Number("EXECUTE_CONCURRENCY_PER_OWNER", Math.Max(2, concurrency / 2), 1, 1000),
            MaxWallSeconds = settings.Number("EXECUTE_MAX_WALL_SECONDS", 300, 1, 86_400),
            MaxCpuSeconds = settings.Number("EXECUTE_MAX_CPU_SECONDS", 60, 1, 86_400),
            MaxMemoryMb = settings.Number("EXECUTE_MAX_MEMORY_MB", 1024, 16, 1_000_000),
            MaxProcesses = settings.Number("EXECUTE_MAX_PROCESSES", 128, 4, 10_000),
            MaxOutputKb = settings.Number("EXECUTE_MAX_OUTPUT_KB", 16 * 1024, 1, 1_048_576),
            MaxFileMb = settings.Number("EXECUTE_MAX_FILE_MB", 128, 1, 100_000),
            Bubblewrap = settings.Text("EXECUTE_BUBBLEWRAP"),
            CacheFolder = Path.Combine(settings.DataFolder, "compiled"),
            CacheBytes = settings.Number("EXECUTE_CACHE_MB", 512, 1, 1_000_000) * 1024L * 1024,
        };
    }
}
