using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Guessing;

/// <summary>
/// Counts tries to guess a secret before they are checked, in the database, so that neither many at once nor many nodes give more of them. Beyond what is free each try
/// waits twice as long as the one before. A try counts three times: for its network and account together, for the account, and for the network. From a network that the right
/// answer came from lately only the first counts: neither strangers elsewhere, nor those who share its network and try others' accounts, keep the owner waiting. A try from a device
/// that the account remembers counts for that device alone, wherever it is; when it has used up its tries, it counts as anybody's, so whoever stole its token has those few more.
/// </summary>
/// <remarks>Nothing here depends on whether there is such an account.</remarks>
internal sealed class Guesses(Database database, GuessKeys keys, GuessOptions options, TimeProvider time)
{
    // An owner who comes once in a season is still known.
    private static readonly TimeSpan PlacesKept = TimeSpan.FromDays(90);

    private const long FirstWait = Instant.Second;

    // Whoever signs in to an account of their own from everywhere must not fill the table.
    private const long PlacesPerSubject = 32;

    // The row count decides: of many at once so many change the row as may.
    private const string Count =
        """
        INSERT INTO guess AS g (counter, tries, wait, tried_at, expires_at) VALUES ($1, 1, $3, $2, $2 + $7)
        ON CONFLICT (counter) DO UPDATE SET
            tries = CASE WHEN g.expires_at <= $2 THEN 1 ELSE g.tries + 1 END,
            wait = CASE WHEN g.expires_at <= $2 THEN $3 WHEN g.tries + 1 < $4 THEN 0 WHEN g.wait = 0 THEN $5 WHEN g.wait * 2 > $6 THEN $6 ELSE g.wait * 2 END,
            tried_at = $2,
            expires_at = $2 + $7
        WHERE g.wait = 0 OR g.tried_at + g.wait <= $2
        """;

    private const string TakeBack =
        "UPDATE guess SET tries = tries - 1, wait = CASE WHEN tries <= $2 THEN 0 ELSE wait / 2 END WHERE counter = $1 AND tries > 0";

    // Many people may share a network, and one of them must not keep the others out for long.
    private TimeSpan LongestNetworkWait => TimeSpan.FromSeconds(Math.Min(60, options.LongestWait.TotalSeconds));

    // Slow guesses are forgotten as slowly as they could be made.
    private TimeSpan Memory => options.LongestWait * 4 + TimeSpan.FromMinutes(10);

    /// <summary>Counts a try, before it is checked, and says whether it may be.</summary>
    /// <param name="subject">The account at which it is aimed: its number, or the normalized address that was given.</param>
    /// <param name="device">The device that the try comes from, where the account remembers it.</param>
    public async Task<GuessResult> BeginAsync(GuessKind kind, string subject, ClientInfo client, Guid? device, CancellationToken cancellationToken) =>
        await (await BeginEarlyAsync(kind, subject, client, device, cancellationToken)).Counted;

    /// <summary>
    /// As <see cref="BeginAsync"/>, for a check that takes long: the count is made durable beside it. Others who try at the same time are counted after this one already then.
    /// </summary>
    /// <param name="subject">The account at which it is aimed: its number, or the normalized address that was given.</param>
    /// <param name="device">The device that the try comes from, where the account remembers it.</param>
    public async Task<BegunGuess> BeginEarlyAsync(GuessKind kind, string subject, ClientInfo client, Guid? device, CancellationToken cancellationToken)
    {
        var key = keys.Of(kind, subject, client);
        var now = time.GetMicroseconds();

        // Most of those who have to wait are told so without a write.
        var (isKnown, nextAt) = await database.ReadAsync(session => ReadAsync(session, key, now), cancellationToken);
        if (nextAt > now && device is null)
        {
            var refused = Wait(nextAt - now);
            return new(refused, Task.FromResult(refused));
        }

        // Set inside the unit, which may run again and find otherwise: what it comes to in the end is what counts.
        var first = new TaskCompletionSource<GuessResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var counted = database.WriteAsync(
            async session =>
            {
                var result = await AdmitAsync(session, kind, key, isKnown, device, now);
                first.TrySetResult(result);
                return result;
            },
            cancellationToken);
        var result = await Task.WhenAny(first.Task, counted) == counted ? await counted : await first.Task;
        return new(result.IsAdmitted ? result : await counted, counted);
    }

    /// <summary>Forgets what was counted for this account and network, or this device: the answer was right.</summary>
    /// <param name="device">Under which the try was counted.</param>
    public Task SucceededAsync(GuessKind kind, string subject, ClientInfo client, Guid? device, CancellationToken cancellationToken)
    {
        var key = keys.Of(kind, subject, client);
        return database.WriteAsync(
            async session =>
            {
                var wasKnown = await RememberAsync(session, key.Place, time.GetUtcNow());
                if (device is { } own)
                {
                    await session.ExecuteAsync("DELETE FROM guess WHERE counter = $1", keys.Of(kind, own));
                    return;
                }

                await TakeBackAsync(session, key, wasKnown);
                await session.ExecuteAsync("DELETE FROM guess WHERE counter = $1", key.Pair);
            },
            cancellationToken);
    }

    /// <summary>Takes back a try that was let in and not checked, because the server was too busy.</summary>
    /// <param name="device">Under which the try was counted.</param>
    public Task WithdrawAsync(GuessKind kind, string subject, ClientInfo client, Guid? device, CancellationToken cancellationToken)
    {
        var key = keys.Of(kind, subject, client);
        return database.WriteAsync(
            async session =>
            {
                if (device is { } own)
                {
                    await session.ExecuteAsync(TakeBack, keys.Of(kind, own), (long)options.Tries);
                    return;
                }

                var (isKnown, _) = await ReadAsync(session, key, time.GetMicroseconds());
                await TakeBackAsync(session, key, isKnown);
                await session.ExecuteAsync(TakeBack, key.Pair, (long)options.Tries);
            },
            cancellationToken);
    }

    /// <summary>Whether somebody answered rightly from there lately.</summary>
    public Task<bool> IsKnownAsync(string subject, ClientInfo client, CancellationToken cancellationToken)
    {
        var place = keys.PlaceOf(subject, client);
        return database.ReadAsync(session => IsKnownAsync(session, place, time.GetMicroseconds()), cancellationToken);
    }

    private static GuessResult Wait(long microseconds) => new(false, TimeSpan.FromMicroseconds(microseconds));

    private async ValueTask<GuessResult> AdmitAsync(DbSession session, GuessKind kind, GuessSubject key, bool isKnown, Guid? device, long now)
    {
        long nextAt;
        if (device is { } own)
        {
            if (await CountAsync(session, keys.Of(kind, own), options.Tries, options.LongestWait, now))
            {
                return new(true, Device: device);
            }

            (isKnown, nextAt) = await ReadAsync(session, key, now);
            if (nextAt > now)
            {
                return Wait(nextAt - now);
            }
        }

        // Everybody takes the rows in this order.
        var isAdmitted = (isKnown
                || (await CountAsync(session, key.Network, options.TriesPerNetwork, LongestNetworkWait, now)
                    && await CountAsync(session, key.Account, options.TriesPerAccount, options.LongestWait, now)))
            && await CountAsync(session, key.Pair, options.Tries, options.LongestWait, now);
        if (isAdmitted)
        {
            return GuessResult.Admitted;
        }

        (_, nextAt) = await ReadAsync(session, key, now);
        return Wait(Math.Max(nextAt - now, FirstWait));
    }

    private static async ValueTask<(bool IsKnown, long NextAt)> ReadAsync(DbSession session, GuessSubject key, long now)
    {
        var isKnown = await IsKnownAsync(session, key.Place, now);
        var nextAt = await session.QueryFirstAsync(
            "SELECT max(tried_at + wait) FROM guess WHERE counter IN ($1, $2, $3) AND wait > 0",
            static row => row.IsDBNull(0) ? 0 : row.GetInt64(0),
            key.Pair,
            isKnown ? key.Pair : key.Network,
            isKnown ? key.Pair : key.Account);
        return (isKnown, nextAt);
    }

    private static async ValueTask<bool> IsKnownAsync(DbSession session, GuessPlace place, long now) =>
        await session.QueryFirstAsync(
            "SELECT 1 FROM guess_place WHERE subject = $1 AND place = $2 AND expires_at > $3", static row => row.GetInt32(0), place.Account, place.Network, now) == 1;

    private async ValueTask<bool> CountAsync(DbSession session, byte[] counter, int free, TimeSpan longest, long now) =>
        await session.ExecuteAsync(
            Count,
            counter,
            now,
            free <= 1 ? FirstWait : 0L,
            (long)free,
            FirstWait,
            (long)longest.TotalMicroseconds,
            (long)Memory.TotalMicroseconds) == 1;

    private async ValueTask TakeBackAsync(DbSession session, GuessSubject key, bool isKnown)
    {
        if (!isKnown)
        {
            await session.ExecuteAsync(TakeBack, key.Network, (long)options.TriesPerNetwork);
            await session.ExecuteAsync(TakeBack, key.Account, (long)options.TriesPerAccount);
        }
    }

    /// <returns>Whether the right answer came from there before.</returns>
    private static async ValueTask<bool> RememberAsync(DbSession session, GuessPlace place, DateTimeOffset now)
    {
        var until = (now + PlacesKept).ToMicroseconds();
        if (await session.ExecuteAsync("UPDATE guess_place SET expires_at = $3 WHERE subject = $1 AND place = $2 AND expires_at > $4", place.Account, place.Network, until, now.ToMicroseconds()) == 1)
        {
            return true;
        }

        await session.ExecuteAsync(
            "INSERT INTO guess_place (subject, place, expires_at) VALUES ($1, $2, $3) ON CONFLICT (subject, place) DO UPDATE SET expires_at = excluded.expires_at", place.Account, place.Network, until);

        // What another is writing is in use: it is left alone, and nobody waits.
        await session.ExecuteAsync(
            $"""
            DELETE FROM guess_place WHERE subject = $1 AND place IN (
                SELECT place FROM guess_place
                WHERE subject = $1 AND expires_at < (SELECT expires_at FROM guess_place WHERE subject = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)
                {session.Lock("FOR UPDATE SKIP LOCKED")})
            """,
            place.Account,
            PlacesPerSubject - 1);
        return false;
    }
}
