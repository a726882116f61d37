using Lintel.Features.Jobs;
using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Bench.Storage;

/// <summary>A job that is not due for a long time, so that whoever follows it waits in silence.</summary>
internal static class WaitingJob
{
    private static readonly TimeSpan Wait = TimeSpan.FromDays(1);

    /// <summary>Puts it into the database of a server that is not running.</summary>
    public static async Task<Guid> SubmitAsync(string folder, long ownerId, CancellationToken cancellationToken)
    {
        await using var database = new SqliteDatabase(Path.Combine(folder, "lintel.db"), TimeProvider.System, NullLogger<SqliteDatabase>.Instance);
        await database.OpenAsync(cancellationToken);
        using var hints = new Hints(database, TimeProvider.System, NullLogger<Hints>.Instance);
        var log = new StreamLog(database, new StreamFeeds(hints), TimeProvider.System);
        var queue = new JobQueue(
            database, log, new JobFinish(log, static () => []), new JobInputs(), new JobSignals(hints), new JobOptions(), new TimeOrderedIds(TimeProvider.System), TimeProvider.System);

        var request = new JobRequest(new JobKind("batch-design", Scopes.Design), ownerId, "[]"u8.ToArray(), Total: 0);
        var due = TimeProvider.System.GetUtcNow().Add(Wait).ToMicroseconds();
        var submitted = await queue.SubmitAsync(
            request,
            cancellationToken,
            async (session, id) => await session.ExecuteAsync("UPDATE job SET run_at = $2 WHERE id = $1", id, due));
        return submitted.Job?.Id ?? throw new InvalidOperationException($"The job was not accepted: {submitted.Status}.");
    }
}
