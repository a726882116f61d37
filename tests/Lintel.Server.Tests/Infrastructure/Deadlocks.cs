using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Infrastructure;

/// <summary>The deadlocks that a server's PostgreSQL had to break: each was a unit of work run again, and hides a wrong order of locks.</summary>
internal static class Deadlocks
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>How many there were since the database was made. The server is started anew for it: a connection tells what it counted at the latest when it ends.</summary>
    public static async Task<long> CountAsync(ServerFixture server)
    {
        var before = await ReadAsync(
            server, "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'");
        await server.RestartAsync();
        await Eventually.HoldsAsync(async () => (await ReadAsync(server, "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", [before.ToArray()]))[0] == 0);
        return (await ReadAsync(server, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))[0];
    }

    private static Task<List<long>> ReadAsync(ServerFixture server, string query, params object?[] values) =>
        server.Services.GetRequiredService<Database>().ReadAsync(session => session.QueryAsync(query, static row => row.GetInt64(0), values), Cancel);
}
