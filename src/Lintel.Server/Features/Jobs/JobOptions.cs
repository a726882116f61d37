using Lintel.Platform.Configuration;

namespace Lintel.Features.Jobs;

/// <summary>The limits of the job engine.</summary>
internal sealed record JobOptions
{
    /// <summary>Jobs that run at once on this node.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>Jobs of one owner that run at once on all nodes.</summary>
    public int ConcurrencyPerOwner { get; init; } = 8;

    /// <summary>Jobs of one owner that may wait.</summary>
    public int QueuedPerOwner { get; init; } = 1000;

    /// <summary>Bytes of input that the unfinished jobs of one owner may have.</summary>
    public long InputBytesPerOwner { get; init; } = 256L * 1024 * 1024;

    /// <summary>Jobs that may wait in all.</summary>
    public int Queued { get; init; } = 20_000;

    /// <summary>Bytes of events that the finished jobs of one owner may have; with more the oldest are forgotten.</summary>
    public long OutputBytesPerOwner { get; init; } = 1024L * 1024 * 1024;

    /// <summary>How long a finished job and its events are kept.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long a job that ends with its viewers waits for one to come back.</summary>
    public TimeSpan ReconnectGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a node says that it lives.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A node that was not heard of for so long, by the database's clock, is dead, and its jobs are given to others.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A node that could not say that it lives for so long stops its own jobs: before others can take them.</summary>
    public TimeSpan StopAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a cancelled handler may take to stop.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long running jobs may go on when the server stops, before they are handed back.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(3);

    public static JobOptions Read(SettingsReader settings) => new()
    {
        Concurrency = settings.Number("JOB_CONCURRENCY", 16, 1, 1000),
        ConcurrencyPerOwner = settings.Number("JOB_CONCURRENCY_PER_OWNER", 8, 1, 1000),
        QueuedPerOwner = settings.Number("JOB_QUEUE_PER_OWNER", 1000, 1, 100_000),
        InputBytesPerOwner = settings.Number("JOB_INPUT_PER_OWNER_MB", 256, 16, 1_000_000) * 1024L * 1024,
        OutputBytesPerOwner = settings.Number("JOB_OUTPUT_PER_OWNER_MB", 1024, 1, 1_000_000) * 1024L * 1024,
        Retention = TimeSpan.FromDays(settings.Number("JOB_RETENTION_DAYS", 7, 1, 3650)),
    };
}
