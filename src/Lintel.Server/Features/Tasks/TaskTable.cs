using System.Data.Common;
using Lintel.Features.Webhooks;
using Lintel.Platform.Caching;
using Lintel.Platform.Http;
using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>What became of a change.</summary>
internal enum TaskChange
{
    Done,

    /// <summary>There is no such task of that owner.</summary>
    NotFound,

    /// <summary>The task is not any more what the caller believes it is.</summary>
    Stale,
}

/// <param name="Query">What title or description must have in it.</param>
/// <param name="DueBefore">Only tasks that are due before.</param>
internal readonly record struct TaskFilter(string? Status, string? Query, DateTimeOffset? DueBefore);

/// <summary>The tasks in the database. Whose a task is stands in every WHERE: another's and none look the same.</summary>
internal sealed class TaskTable(Database database, TaskNews news, TaskOptions options, OutputCache cache, TimeProvider time)
{
    /// <summary>What is kept of a person's tasks goes stale with any change of one.</summary>
    public static CacheTag TagOf(long userId) => new("tasks", userId);

    /// <summary>Keeps a new task, queues the e-mail and tells the owner, all or nothing.</summary>
    /// <returns>The task; null where the owner has as many as one may.</returns>
    public Task<TaskItem?> AddAsync(TaskItem task, string? email, CancellationToken cancellationToken)
    {
        var added = task.WithReminder(options.ReminderLead, task.CreatedAt);
        return database.WriteAsync<TaskItem?>(
            async session =>
            {
                if (!await TakePlaceAsync(session, added.UserId))
                {
                    return null;
                }

                await session.ExecuteAsync(
                    """
                    INSERT INTO task (id, user_id, title, description, searched, status, due_at, remind_at, created_at, updated_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                    """,
                    added.Id,
                    added.UserId,
                    added.Title,
                    added.Description,
                    added.Searched,
                    added.Status,
                    added.DueAt?.ToMicroseconds(),
                    added.RemindAt?.ToMicroseconds(),
                    added.CreatedAt.ToMicroseconds(),
                    added.UpdatedAt.ToMicroseconds());
                await news.TellAsync(session, TaskNews.Created, added, email);
                cache.Invalidate(session, TagOf(added.UserId));
                return added;
            },
            cancellationToken);
    }

    public Task<TaskItem?> FindAsync(Guid id, long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync($"SELECT {TaskItem.Columns} FROM task WHERE id = $1 AND user_id = $2", TaskItem.Map, id, userId), cancellationToken);

    /// <summary>A page of a person's tasks, newest first, and one more where there is one; null for those of which no byte has room on the page, which are not read.</summary>
    public Task<List<TaskItem?>> ListAsync(long userId, TaskPage page, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"""
                SELECT {TaskItem.Columns} FROM task
                WHERE user_id = $1 AND id < $2 AND ($3 = '' OR status = $3) AND ($4 = {long.MaxValue} OR due_at < $4) AND ($5 = '' OR searched LIKE $5 ESCAPE '~')
                ORDER BY id DESC LIMIT $6
                """,
                WhileThereIsRoom(),
                userId,
                page.Before ?? Guid.AllBitsSet,
                page.Filter.Status ?? "",
                page.Filter.DueBefore?.ToMicroseconds() ?? long.MaxValue,
                page.Filter.Query is { Length: > 0 } query ? Pattern(query) : "",
                page.Limit + 1),
            cancellationToken);

    /// <summary>Changes a task, if it is still at a version that the caller knows.</summary>
    public Task<(TaskChange Change, TaskItem? Task)> UpdateAsync(
        Guid id, long userId, IfMatch versions, Func<TaskItem, TaskItem> change, CancellationToken cancellationToken) =>
        database.WriteAsync<(TaskChange, TaskItem?)>(
            async session =>
            {
                // Locked, so that of two changes at once the second sees what the first made.
                var current = await session.QueryFirstAsync(
                    $"SELECT {TaskItem.Columns} FROM task WHERE id = $1 AND user_id = $2{session.Lock("FOR UPDATE")}", TaskItem.Map, id, userId);
                if (current is null)
                {
                    return (TaskChange.NotFound, null);
                }

                if (!versions.Allows(current.ETag))
                {
                    return (TaskChange.Stale, null);
                }

                var changed = change(current);
                if (changed == current)
                {
                    return (TaskChange.Done, current);
                }

                var now = time.GetUtcNow();
                changed = changed with { UpdatedAt = now, Version = current.Version + 1 };
                if (changed.DueAt != current.DueAt || changed.Status != current.Status)
                {
                    changed = changed.WithReminder(options.ReminderLead, now);
                }

                await UpdateAsync(session, changed);
                cache.Invalidate(session, TagOf(userId));
                var isCompleted = changed.Status == TaskStates.Completed && current.Status != TaskStates.Completed;
                await news.TellWebhooksAsync(session, isCompleted ? WebhookEventTypes.TaskCompleted : WebhookEventTypes.TaskUpdated, changed);
                return (TaskChange.Done, changed);
            },
            cancellationToken);

    public Task<TaskChange> DeleteAsync(Guid id, long userId, IfMatch versions, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var task = await session.QueryFirstAsync(
                    $"SELECT {TaskItem.Columns} FROM task WHERE id = $1 AND user_id = $2{session.Lock("FOR UPDATE")}", TaskItem.Map, id, userId);
                if (task is null)
                {
                    return TaskChange.NotFound;
                }

                if (!versions.Allows(task.ETag))
                {
                    return TaskChange.Stale;
                }

                await session.ExecuteAsync("DELETE FROM task WHERE id = $1 AND user_id = $2", id, userId);
                await session.ExecuteAsync("UPDATE task_usage SET tasks = tasks - 1 WHERE user_id = $1", userId);
                cache.Invalidate(session, TagOf(userId));
                await news.TellWebhooksAsync(session, WebhookEventTypes.TaskDeleted, task);
                return TaskChange.Done;
            },
            cancellationToken);

    /// <summary>Completes tasks, all or none.</summary>
    /// <returns>Those of the ids that the person has.</returns>
    public Task<HashSet<Guid>> CompleteAsync(IEnumerable<Guid> ids, long userId, CancellationToken cancellationToken)
    {
        // In one order, so that two requests cannot wait for each other.
        var ordered = ids.Distinct().Order().ToArray();
        return database.WriteAsync(
            async session =>
            {
                var now = time.GetMicroseconds();
                HashSet<Guid> found = [];
                List<TaskItem> done = [];
                foreach (var id in ordered)
                {
                    var completed = await session.QueryFirstAsync(
                        $"""
                        UPDATE task SET status = 'completed', remind_at = NULL, updated_at = $3, version = version + 1
                        WHERE id = $1 AND user_id = $2 AND status <> 'completed'
                        RETURNING {TaskItem.Columns}
                        """,
                        TaskItem.Map,
                        id,
                        userId,
                        now);
                    if (completed is not null || await ExistsAsync(session, id, userId))
                    {
                        found.Add(id);
                    }

                    if (completed is not null)
                    {
                        done.Add(completed);
                    }
                }

                // After the last task's row is locked: a change of one of them locks the webhooks' rows behind the task's.
                foreach (var task in done)
                {
                    await news.TellWebhooksAsync(session, WebhookEventTypes.TaskCompleted, task);
                }

                cache.Invalidate(session, TagOf(userId));
                return found;
            },
            cancellationToken);
    }

    private async ValueTask<bool> TakePlaceAsync(DbSession session, long userId) =>
        await session.ExecuteAsync(
            """
            INSERT INTO task_usage (user_id, tasks) VALUES ($1, 1)
            ON CONFLICT (user_id) DO UPDATE SET tasks = task_usage.tasks + 1 WHERE task_usage.tasks < $2
            """,
            userId,
            (long)options.MaxTasks) == 1;

    /// <summary>Each character is a byte or more on the page.</summary>
    private static Func<DbDataReader, TaskItem?> WhileThereIsRoom()
    {
        var room = TaskPage.MaxBytes;
        return row =>
        {
            if (room <= 0)
            {
                return null;
            }

            var task = TaskItem.Map(row);
            room -= task.Title.Length + (task.Description?.Length ?? 0);
            return task;
        };
    }

    private static async ValueTask UpdateAsync(DbSession session, TaskItem task) =>
        await session.ExecuteAsync(
            """
            UPDATE task SET title = $3, description = $4, searched = $5, status = $6, due_at = $7, remind_at = $8, updated_at = $9, version = $10
            WHERE id = $1 AND user_id = $2
            """,
            task.Id,
            task.UserId,
            task.Title,
            task.Description,
            task.Searched,
            task.Status,
            task.DueAt?.ToMicroseconds(),
            task.RemindAt?.ToMicroseconds(),
            task.UpdatedAt.ToMicroseconds(),
            task.Version);

    private static async ValueTask<bool> ExistsAsync(DbSession session, Guid id, long userId) =>
        await session.QueryFirstAsync("SELECT 1 FROM task WHERE id = $1 AND user_id = $2", static row => row.GetInt32(0), id, userId) == 1;

    /// <summary>The pattern of all that has the text in it, whose own signs mean nothing.</summary>
    private static string Pattern(string query) =>
        $"%{query.ToLowerInvariant().Replace("~", "~~", StringComparison.Ordinal).Replace("%", "~%", StringComparison.Ordinal).Replace("_", "~_", StringComparison.Ordinal)}%";
}
