using Lintel.Features.Jobs;
using Lintel.Features.Streams;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Crash;

/// <summary>What runs in a process that is going to be killed.</summary>
internal static class CrashHost
{
    public const string Kind = "long-count";
    public const int Count = 30_000;

    /// <summary>How many attempts it takes to get to the end.</summary>
    public const int Lives = 4;

    /// <summary>How many numbers an attempt but the last gets further.</summary>
    public const int Part = 5_000;
    public const string StreamName = "crash";

    /// <summary>A server with a kind of job that has much to say, and goes on where the attempt before it ended.</summary>
    public static Task<int> RunServerAsync(string[] settings) => ServerRun.RunAsync(() => LintelApplication.Create(
        settings,
        static builder => builder.Services.AddSingleton(TestKind.Of(
            // Never past its part, so that each attempt but the last is killed in the midst of it.
            static (job, cancel) => TestKind.CountAsync(
                job, Count, cancel, i => job.Attempt < Lives && i > job.Attempt * Part ? Task.Delay(Timeout.Infinite, cancel) : Task.CompletedTask),
            Kind,
            maxAttempts: 10))));

    /// <summary>Appends three events, then two more in a unit that never gets to its commit.</summary>
    public static async Task<int> AppendAsync(string url)
    {
        var options = DatabaseUrl.Parse(url);
        Database database = options.Kind == DatabaseKind.Sqlite
            ? new SqliteDatabase(options.SqlitePath, TimeProvider.System, NullLogger<SqliteDatabase>.Instance)
            : PostgresDatabase.Create(options.PostgresConnectionString, TimeProvider.System, NullLogger<PostgresDatabase>.Instance);
        await database.OpenAsync(CancellationToken.None);
        var feeds = new StreamFeeds(new Hints(database, TimeProvider.System, NullLogger<Hints>.Instance));
        var log = new StreamLog(database, feeds, TimeProvider.System);
        var id = await database.WriteAsync(session => log.GetOrCreateAsync(session, StreamName), CancellationToken.None);
        await log.AppendAsync(id, TestEvent.Many(1, 3));
        await database.WriteAsync(
            async session =>
            {
                await log.AppendAsync(session, id, TestEvent.Many(4, 2));
                Console.WriteLine("appended");

                // The thread that would commit stands here until the process is killed.
                using var never = new ManualResetEvent(false);
                never.WaitOne();
            },
            CancellationToken.None);
        return 1;
    }
}
