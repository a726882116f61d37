using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>Forgets streams that belonged to something which is gone: a room that was deleted, the inbox of an account that was.</summary>
internal sealed class OrphanStreams(Database database, StreamLog log)
{
    private const long BatchSize = 200;

    /// <param name="prefix">What the streams' names begin with.</param>
    /// <param name="table">Whose rows have the streams, by <c>stream_id</c>; a row is made with its stream in one unit of work.</param>
    public async Task ForgetAsync(string prefix, string table, CancellationToken cancellationToken)
    {
        List<long> found;
        do
        {
            found = await database.ReadAsync(
                session => session.QueryAsync(
                    $"SELECT id FROM stream WHERE name LIKE $1 AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.stream_id = stream.id) ORDER BY id LIMIT $2",
                    static row => row.GetInt64(0),
                    prefix + "%",
                    BatchSize),
                cancellationToken);
            foreach (var id in found)
            {
                // Who follows it still is told of the end. A crash in between: the stream is still there to be found.
                await log.AppendAsync(id, [], close: true, cancellationToken: cancellationToken);
                await log.EmptyAsync(id, cancellationToken);
                await database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM stream WHERE id = $1", id); }, cancellationToken);
            }
        }
        while (found.Count == BatchSize);
    }
}
