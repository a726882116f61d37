using System.Data.Common;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>The states of a job, as the database and the clients see them.</summary>
internal static class JobStates
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string Complete = "complete";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static readonly string[] All = [Queued, Running, Complete, Failed, Cancelled];

    public static bool IsTerminal(string state) => state is Complete or Failed or Cancelled;
}

/// <summary>A job as the database has it, without its input.</summary>
internal sealed record Job(
    Guid Id,
    string Kind,
    long OwnerId,
    string State,
    long StreamId,
    JobProgress Progress,
    string? Error,
    int ErrorCount,
    int Attempt,
    int MaxAttempts,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    bool CancelRequested,
    bool CancelOnDisconnect,
    long LeaseEpoch)
{
    public const string Columns =
        "id, kind, owner_id, state, stream_id, completed, total, failed, error, error_count, attempt, max_attempts, created_at, started_at, completed_at, "
        + "cancel_requested_at, cancel_on_disconnect, lease_epoch";

    public static Job Map(DbDataReader row) => new(
        row.GetGuid(0),
        row.GetString(1),
        row.GetInt64(2),
        row.GetString(3),
        row.GetInt64(4),
        new JobProgress(row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)),
        row.GetNullableString(8),
        row.GetInt32(9),
        row.GetInt32(10),
        row.GetInt32(11),
        row.GetInstant(12),
        row.GetNullableInstant(13),
        row.GetNullableInstant(14),
        !row.IsDBNull(15),
        row.GetBoolean(16),
        row.GetInt64(17));
}

/// <param name="Completed">Items dealt with, whatever came of them.</param>
/// <param name="Total">Items in all.</param>
/// <param name="Failed">Items that were refused.</param>
internal readonly record struct JobProgress(long Completed, long Total, long Failed)
{
    /// <summary>Completed in per cent of the total, with one decimal.</summary>
    public double Percent => Total == 0 ? 0 : Math.Round(100.0 * Completed / Total, 1);
}
