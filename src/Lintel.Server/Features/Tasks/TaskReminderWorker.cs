using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>
/// Reminds of tasks that are due. What is to be reminded of stands in the database, so it waits for a server that is down; and whoever takes a reminder, of however many nodes,
/// clears it in the transaction that tells of it, so it is given once.
/// </summary>
internal sealed partial class TaskReminderWorker(Database database, TaskNews news, TimeProvider time, ILogger<TaskReminderWorker> logger) : BackgroundService
{
    private const long BatchSize = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Gives the reminders that are due now.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> RemindAsync(CancellationToken cancellationToken)
    {
        var reminded = 0;
        int batch;
        do
        {
            batch = await AnyIsDueAsync(cancellationToken) ? await database.WriteAsync(RemindAsync, cancellationToken) : 0;
            reminded += batch;
        }
        while (batch == BatchSize);
        return reminded;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RemindAsync(stoppingToken);
            }
            catch (StorageUnavailableException failure)
            {
                Log.Unavailable(logger, failure.Message);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was, the next round is another try.
                Log.Failed(logger, failure);
            }
        }
    }

    /// <summary>Looking first keeps an idle server from writing.</summary>
    private async Task<bool> AnyIsDueAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(
            session => session.QueryFirstAsync("SELECT 1 FROM task WHERE remind_at <= $1 LIMIT 1", static row => row.GetInt32(0), time.GetMicroseconds()),
            cancellationToken) == 1;

    private async ValueTask<int> RemindAsync(DbSession session)
    {
        // Said twice: another node may have taken some of them between the choice and the change.
        var due = await session.QueryAsync(
            $"""
            UPDATE task SET remind_at = NULL
            WHERE remind_at <= $1 AND id IN (SELECT id FROM task WHERE remind_at <= $1 ORDER BY remind_at, id LIMIT $2)
            RETURNING {TaskItem.Columns}
            """,
            TaskItem.Map,
            time.GetMicroseconds(),
            BatchSize);

        // In one order, so that two nodes cannot wait for each other's inboxes.
        foreach (var task in due.OrderBy(static task => task.UserId))
        {
            var email = await session.QueryFirstAsync("SELECT email FROM account WHERE id = $1 AND is_active", static row => row.GetString(0), task.UserId);
            await news.TellAsync(session, TaskNews.Due, task, email);
        }

        return due.Count;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Reminders wait for the database: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Reminders could not be given.")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
