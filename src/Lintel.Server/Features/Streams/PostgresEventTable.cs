using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

internal sealed class PostgresEventTable : EventTable
{
    private const string Append =
        $"""
        WITH bumped AS ({Bump}),
        inserted AS (
            INSERT INTO event (stream_id, seq, kind, at, data)
            SELECT $4, bumped.next_seq - $1 + item.ordinal - 1, item.kind, $6, item.data
            FROM bumped, unnest($7::text[], $8::bytea[]) WITH ORDINALITY AS item (kind, data, ordinal))
        SELECT next_seq FROM bumped
        """;

    public override ValueTask<long> AppendAsync(DbSession session, StreamAppend append) =>
        session.QueryFirstAsync(
            Append,
            static row => row.GetInt64(0),
            (long)append.Events.Length,
            append.Bytes,
            append.Close,
            append.StreamId,
            append.Fence,
            append.At,
            Array.ConvertAll(append.Events, static item => item.Kind),
            Array.ConvertAll(append.Events, static item => item.Data.ToArray()));
}
