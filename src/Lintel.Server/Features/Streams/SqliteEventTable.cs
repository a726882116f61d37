using System.Text;
using Lintel.Platform.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Lintel.Features.Streams;

internal sealed class SqliteEventTable : EventTable
{
    public override ValueTask<long> AppendAsync(DbSession session, StreamAppend append) =>
        new(((SqliteSession)session).Resource(static owner => new Statements(owner.Connection)).Append(append));

    /// <summary>Statements of SQLite's own: through ADO.NET the same rows take twice the time.</summary>
    private sealed class Statements : IDisposable
    {
        private const int MaxKindBytes = 256;

        private readonly sqlite3 _connection;
        private readonly sqlite3_stmt _bump;
        private readonly sqlite3_stmt _insert;

        public Statements(SqliteConnection connection)
        {
            _connection = connection.Handle!;
            _bump = Prepare(Bump);
            _insert = Prepare("INSERT INTO event (stream_id, seq, kind, at, data) VALUES ($1, $2, $3, $4, $5)");
        }

        public long Append(StreamAppend append)
        {
            var nextSeq = BumpSeq(append);
            if (nextSeq != 0)
            {
                Insert(append, nextSeq - append.Events.Length);
            }

            return nextSeq;
        }

        public void Dispose()
        {
            _bump.Dispose();
            _insert.Dispose();
        }

        /// <summary>The stream's new <c>next_seq</c>; 0 when there is no such row to change.</summary>
        private long BumpSeq(StreamAppend append)
        {
            raw.sqlite3_bind_int64(_bump, 1, append.Events.Length);
            raw.sqlite3_bind_int64(_bump, 2, append.Bytes);
            raw.sqlite3_bind_int(_bump, 3, append.Close ? 1 : 0);
            raw.sqlite3_bind_int64(_bump, 4, append.StreamId);
            raw.sqlite3_bind_int64(_bump, 5, append.Fence);
            var nextSeq = 0L;
            var result = raw.sqlite3_step(_bump);
            if (result == raw.SQLITE_ROW)
            {
                // The row comes after the change; the step to the end of the statement is what finishes it.
                nextSeq = raw.sqlite3_column_int64(_bump, 0);
                result = raw.sqlite3_step(_bump);
            }

            raw.sqlite3_reset(_bump);
            Check(result);
            return nextSeq;
        }

        private void Insert(StreamAppend append, long firstSeq)
        {
            Span<byte> kind = stackalloc byte[MaxKindBytes];
            raw.sqlite3_bind_int64(_insert, 1, append.StreamId);
            raw.sqlite3_bind_int64(_insert, 4, append.At);
            foreach (var item in append.Events)
            {
                raw.sqlite3_bind_int64(_insert, 2, firstSeq++);
                raw.sqlite3_bind_text(_insert, 3, kind[..Encoding.UTF8.GetBytes(item.Kind, kind)]);
                raw.sqlite3_bind_blob(_insert, 5, item.Data.Span);
                var result = raw.sqlite3_step(_insert);
                raw.sqlite3_reset(_insert);
                Check(result);
            }
        }

        private sqlite3_stmt Prepare(string sql)
        {
            Check(raw.sqlite3_prepare_v2(_connection, sql, out var statement));
            return statement;
        }

        private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _connection);
    }
}
