using System.Security.Cryptography;

namespace Lintel.Platform.Storage;

/// <summary>
/// Work that one node of many does at a time, told apart by its name. It is taken by a conditional update and lasts by the database's clock, so that nodes whose clocks differ
/// agree on who has it; who has it may take it again. On SQLite there is no other node, and it is always had.
/// </summary>
internal sealed class Lease(Database database, string name, TimeSpan length)
{
    private readonly Guid _holder = new(RandomNumberGenerator.GetBytes(16));

    private bool _isHeld;

    /// <summary>Takes it, or makes it last longer; false where another node has it.</summary>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken) =>
        database.Kind == DatabaseKind.Sqlite || (_isHeld = await database.WriteAsync(TakeAsync, cancellationToken));

    /// <summary>Lets another node have it, if this one has it.</summary>
    public async Task GiveBackAsync(CancellationToken cancellationToken)
    {
        if (_isHeld)
        {
            _isHeld = false;
            await database.WriteAsync(session => session.ExecuteAsync("DELETE FROM lease WHERE name = $1 AND holder = $2", name, _holder), cancellationToken);
        }
    }

    private async ValueTask<bool> TakeAsync(DbSession session) =>
        await session.ExecuteAsync(
            $"""
            INSERT INTO lease AS l (name, holder, until) VALUES ($1, $2, {session.Now} + $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE l.holder = excluded.holder OR l.until <= {session.Now}
            """,
            name,
            _holder,
            (long)length.TotalMicroseconds) == 1;
}

/// <summary>Another node has the lease by now: what was done under it ends here.</summary>
internal sealed class LeaseLostException() : Exception("Another node has taken the work over.");
