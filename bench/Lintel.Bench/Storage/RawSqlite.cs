using System.Diagnostics;
using SQLitePCL;

namespace Lintel.Bench.Storage;

/// <summary>
/// The ceiling of the log: SQLite called directly from one thread, with rows like the log's and the server's durability
/// (WAL, synchronous=FULL), so many rows in each transaction. Nobody waits, nothing is numbered, nobody is told.
/// </summary>
internal sealed class RawSqlite : IDisposable
{
    private const int PageSize = 4096;

    private readonly sqlite3 database;
    private readonly sqlite3_stmt insert;
    private long rows;

    public RawSqlite(string folder)
    {
        Batteries_V2.Init();
        Check(raw.sqlite3_open(Path.Combine(folder, "raw.db"), out database));
        Execute($"PRAGMA page_size={PageSize}");
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute("PRAGMA cache_size=-32000");

        GrowLog();
        Execute(
            "CREATE TABLE event (stream_id BIGINT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, data BLOB NOT NULL, " +
            "PRIMARY KEY (stream_id, seq))");
        Check(raw.sqlite3_prepare_v2(database, "INSERT INTO event VALUES (?, ?, ?, ?, ?)", out insert));
    }

    /// <summary>Rows made durable a second.</summary>
    /// <param name="group">Rows in each transaction.</param>
    /// <param name="streams">How many streams they are spread over.</param>
    /// <param name="data">The payload of each.</param>
    /// <param name="window">For how long.</param>
    public double Rate(int group, int streams, byte[] data, TimeSpan window)
    {
        var first = rows;
        var start = Stopwatch.GetTimestamp();
        TimeSpan elapsed;
        do
        {
            Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < group; i++)
            {
                Insert(rows % streams, rows / streams, data);
                rows++;
            }

            Execute("COMMIT");
            elapsed = Stopwatch.GetElapsedTime(start);
        }
        while (elapsed < window);

        return (rows - first) / elapsed.TotalSeconds;
    }

    public void Dispose()
    {
        insert.Dispose();
        database.Dispose();
    }

    private void Insert(long stream, long sequence, byte[] data)
    {
        raw.sqlite3_bind_int64(insert, 1, stream);
        raw.sqlite3_bind_int64(insert, 2, sequence);
        raw.sqlite3_bind_text(insert, 3, "output"u8);
        raw.sqlite3_bind_int64(insert, 4, sequence);
        raw.sqlite3_bind_blob(insert, 5, data);
        Check(raw.sqlite3_step(insert));
        Check(raw.sqlite3_reset(insert));
    }

    /// <summary>
    /// A write-ahead log that grows costs a change of the file's size with every commit; one that has its full size is only written over. The
    /// server's reaches that state by itself after a while; this one is brought to it, with 64 MB between one copying back and the next.
    /// </summary>
    private void GrowLog()
    {
        const int pages = 64 * 1024 * 1024 / PageSize;
        Execute($"PRAGMA wal_autocheckpoint={pages}");
        Execute($"CREATE TABLE filler AS SELECT zeroblob({pages} * {PageSize}) AS zeros");
        Execute("DROP TABLE filler");
        Execute("PRAGMA wal_checkpoint(RESTART)");
    }

    private void Execute(string sql) => Check(raw.sqlite3_exec(database, sql));

    private void Check(int result)
    {
        if (result is not (raw.SQLITE_OK or raw.SQLITE_DONE))
        {
            throw new IOException($"SQLite: {raw.sqlite3_errstr(result).utf8_to_string()} ({raw.sqlite3_errmsg(database).utf8_to_string()})");
        }
    }
}
