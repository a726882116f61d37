using System.Data.Common;
using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>The states of a task.</summary>
internal static class TaskStates
{
    public const string Pending = "pending";
    public const string InProgress = "in_progress";
    public const string Completed = "completed";

    public static readonly string[] All = [Pending, InProgress, Completed];
}

/// <summary>Something that a person has to do.</summary>
/// <param name="RemindAt">When the reminder is due; null where there is none, or it was given.</param>
/// <param name="Version">Counts the changes; what <c>ETag</c> and <c>If-Match</c> are about.</param>
internal sealed record TaskItem(
    Guid Id,
    long UserId,
    string Title,
    string? Description,
    string Status,
    DateTimeOffset? DueAt,
    DateTimeOffset? RemindAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    long Version)
{
    public const string Columns = "id, user_id, title, description, status, due_at, remind_at, created_at, updated_at, version";

    public string ETag => $"\"{Version}\"";

    /// <summary>What search looks at.</summary>
    public string Searched => $"{Title}\n{Description}".ToLowerInvariant();

    public static TaskItem Map(DbDataReader row) => new(
        row.GetGuid(0),
        row.GetInt64(1),
        row.GetString(2),
        row.GetNullableString(3),
        row.GetString(4),
        row.GetNullableInstant(5),
        row.GetNullableInstant(6),
        row.GetInstant(7),
        row.GetInstant(8),
        row.GetInt64(9));

    /// <summary>The same task with its reminder set anew: some time before it is due, or when it is due where that time is over; none for what is done or overdue.</summary>
    public TaskItem WithReminder(TimeSpan lead, DateTimeOffset now)
    {
        var early = DueAt - lead;
        return this with
        {
            RemindAt = Status == TaskStates.Completed ? null
                : early > now ? early
                : DueAt > now ? DueAt
                : null,
        };
    }
}
