using System.Text;
using Lintel.Platform.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Lintel.Features.Streams;

internal sealed class SqliteEventTable : EventTable
{
    public override async ValueTask<long> AppendAsync(DbSession session, StreamAppend append)
    {
        var nextSeq = await session.QueryFirstAsync(
            Bump, static row => row.GetInt64(0), append.StreamId, (long)append.Events.Length, append.Close, append.Fence);
        if (nextSeq != 0)
        {
            ((SqliteSession)session).Resource(static owner => new Insert(owner.Connection)).Execute(append, nextSeq - append.Events.Length);
        }

        return nextSeq;
    }

    /// <summary>The insert as a statement of SQLite's own: through ADO.NET the same rows take twice the time.</summary>
    private sealed class Insert : IDisposable
    {
        private const int MaxKindBytes = 256;

        private readonly sqlite3 _connection;
        private readonly sqlite3_stmt _statement;

        public Insert(SqliteConnection connection)
        {
            _connection = connection.Handle!;
            Check(raw.sqlite3_prepare_v2(_connection, "INSERT INTO event (stream_id, seq, kind, at, data) VALUES (?, ?, ?, ?, ?)", out _statement));
        }

        public void Execute(StreamAppend append, long firstSeq)
        {
            Span<byte> kind = stackalloc byte[MaxKindBytes];
            raw.sqlite3_bind_int64(_statement, 1, append.StreamId);
            raw.sqlite3_bind_int64(_statement, 4, append.At);
            foreach (var item in append.Events)
            {
                raw.sqlite3_bind_int64(_statement, 2, firstSeq++);
                raw.sqlite3_bind_text(_statement, 3, kind[..Encoding.UTF8.GetBytes(item.Kind, kind)]);
                raw.sqlite3_bind_blob(_statement, 5, item.Data.Span);
                var result = raw.sqlite3_step(_statement);
                raw.sqlite3_reset(_statement);
                Check(result);
            }
        }

        public void Dispose() => _statement.Dispose();

        private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _connection);
    }
}
