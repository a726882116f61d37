using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>A person's jobs with their events, those that the server runs for them among them.</summary>
internal sealed class JobPersonalData(Database database, JobQueue queue, JobKinds kinds, StreamLog log) : IPersonalData
{
    private const int PageSize = 200;

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string[] hidden = [.. kinds.All.Where(static kind => kind.IsInternal).Select(static kind => kind.Name)];
        var jobs = PersonalRows.PagesAsync<Job>(last => queue.ListAsync(accountId, last?.Id, null, null, hidden, PageSize, cancellationToken), cancellationToken);
        await foreach (var job in jobs)
        {
            yield return new("job", JsonSerializer.SerializeToUtf8Bytes(JobView.From(job), JobsJson.Default.JobView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        var isDone = true;
        List<(Guid Id, long Stream)> jobs;
        Guid? last = null;
        do
        {
            jobs = await database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT id, stream_id FROM job WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3", static row => (row.GetGuid(0), row.GetInt64(1)), accountId, last ?? Guid.Empty, (long)PageSize),
                cancellationToken);
            foreach (var (id, stream) in jobs)
            {
                last = id;

                // One that runs takes a moment to stop, wherever it is; what it wrote until then is removed when it has ended.
                if (await queue.CancelAsync(id, accountId, cancellationToken) is { } job && !JobStates.IsTerminal(job.State))
                {
                    isDone = false;
                    continue;
                }

                await log.EmptyAsync(stream, cancellationToken);
                await database.WriteAsync(
                    async session =>
                    {
                        if (await session.ExecuteAsync("DELETE FROM job WHERE id = $1 AND completed_at IS NOT NULL", id) == 1)
                        {
                            await StreamLog.RemoveAsync(session, stream);
                        }
                    },
                    cancellationToken);
            }
        }
        while (jobs.Count == PageSize);

        return isDone;
    }
}
