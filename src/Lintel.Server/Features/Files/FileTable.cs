using Lintel.Platform.Storage;

namespace Lintel.Features.Files;

/// <summary>Whether there was room for what somebody wants to store.</summary>
internal enum Reservation
{
    Made,

    /// <summary>The person's files would take more than they may.</summary>
    OverQuota,

    /// <summary>The person has as many files as one may have.</summary>
    TooMany,

    /// <summary>The upload is nobody's of this lease any more.</summary>
    Lost,

    /// <summary>There is a file of this id.</summary>
    Exists,
}

/// <summary>What came of the wish to write to an upload.</summary>
internal enum Claim
{
    Made,
    NotFound,

    /// <summary>It is not at the offset that the caller believes it to be at.</summary>
    WrongOffset,

    /// <summary>Another request writes to it at this moment.</summary>
    Locked,
}

/// <summary>
/// The files in the database. Whose a file is stands in every WHERE: another's and none look the same. Whoever writes to an upload holds its lease, which the database gives
/// to one at a time and which is in the WHERE of all that a writer does, so one who has lost it changes nothing.
/// </summary>
internal sealed class FileTable(Database database, FilesOptions options, TimeProvider time)
{
    /// <summary>A writer tells more often than this that it is alive; one that does not has crashed.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);

    /// <summary>Makes the row of an upload and takes room for it, all or nothing.</summary>
    /// <param name="lease">Who writes to it from now on; null where nobody does yet.</param>
    /// <param name="size">-1 where nobody knows it.</param>
    /// <param name="reserved">The room that it takes for now.</param>
    public Task<Reservation> AddAsync(NewFile file, Guid? lease, long size, long reserved, string? metadata, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var room = await ReserveAsync(session, file.UserId, reserved, files: 1);
                if (room != Reservation.Made)
                {
                    return room;
                }

                // Of a form nothing is kept that nobody writes to: as soon as its lease is over it goes, and its room with it.
                var now = time.GetUtcNow();
                var kept = size < 0 ? LeaseTime : options.UploadsKept;
                var added = await session.ExecuteAsync(
                    $"""
                    INSERT INTO file (id, user_id, state, filename, content_type, size, reserved, metadata, draft, lease, lease_until, created_at, expires_at)
                    VALUES ($1, $2, 'uploading', $3, $4, $5, $6, $7, '', $8, {session.Now} + $9, $10, $11)
                    ON CONFLICT DO NOTHING
                    """,
                    file.Id,
                    file.UserId,
                    file.Filename,
                    file.ContentType ?? ContentTypes.Unknown,
                    size,
                    reserved,
                    metadata,
                    lease,
                    Microseconds(LeaseTime),
                    now.ToMicroseconds(),
                    (now + kept).ToMicroseconds());
                if (added == 1)
                {
                    return Reservation.Made;
                }

                await FreeAsync(session, file.UserId, reserved, files: 1);
                return Reservation.Exists;
            },
            cancellationToken);

    /// <summary>Takes more room for an upload whose size nobody told, and tells that its writer is alive.</summary>
    public Task<Reservation> GrowAsync(Guid id, long userId, Guid lease, long bytes, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                // The lease first: of its row the room is taken back in one piece.
                var grown = await session.ExecuteAsync(
                    $"UPDATE file SET reserved = reserved + $3, lease_until = {session.Now} + $4 WHERE id = $1 AND lease = $2 AND state = 'uploading'",
                    id,
                    lease,
                    bytes,
                    Microseconds(LeaseTime));
                if (grown == 0)
                {
                    return Reservation.Lost;
                }

                var room = await ReserveAsync(session, userId, bytes, files: 0);
                if (room != Reservation.Made)
                {
                    await session.ExecuteAsync("UPDATE file SET reserved = reserved - $3 WHERE id = $1 AND lease = $2", id, lease, bytes);
                }

                return room;
            },
            cancellationToken);

    /// <summary>Gives the upload to a writer who knows where it goes on.</summary>
    public Task<(Claim Claim, StoredFile? File)> ClaimAsync(Guid id, long userId, long offset, Guid lease, CancellationToken cancellationToken) =>
        database.WriteAsync<(Claim, StoredFile?)>(
            async session =>
            {
                var claimed = await session.QueryFirstAsync(
                    $"""
                    UPDATE file SET lease = $4, lease_until = {session.Now} + $5
                    WHERE id = $1 AND user_id = $2 AND state = 'uploading' AND received = $3 AND (lease IS NULL OR lease_until < {session.Now}) AND expires_at > $6
                    RETURNING {StoredFile.Columns}
                    """,
                    StoredFile.Map,
                    id,
                    userId,
                    offset,
                    lease,
                    Microseconds(LeaseTime),
                    time.GetMicroseconds());
                if (claimed is not null)
                {
                    return (Claim.Made, claimed);
                }

                // Only to tell why.
                var file = await FindAsync(session, id, userId);
                return (file is null ? Claim.NotFound : file.Received != offset ? Claim.WrongOffset : Claim.Locked, file);
            },
            cancellationToken);

    /// <summary>What would come of a claim, for a request that brings nothing: it writes nothing either.</summary>
    public async Task<(Claim Claim, StoredFile? File)> LookAsync(Guid id, long userId, long offset, CancellationToken cancellationToken)
    {
        var (file, isFree) = await database.ReadAsync(
            session => session.QueryFirstAsync(
                $"SELECT {StoredFile.Columns}, CASE WHEN state = 'uploading' AND (lease IS NULL OR lease_until < {session.Now}) AND expires_at > $3 THEN 1 ELSE 0 END FROM file WHERE id = $1 AND user_id = $2 AND state <> 'deleted'",
                static row => (File: (StoredFile?)StoredFile.Map(row), IsFree: row.GetInt32(13) == 1),
                id,
                userId,
                time.GetMicroseconds()),
            cancellationToken);
        return (file is null ? Claim.NotFound : file.Received != offset ? Claim.WrongOffset : isFree ? Claim.Made : Claim.Locked, file);
    }

    /// <summary>Lets others write to an upload of which nothing more was stored; it is kept no longer for that.</summary>
    /// <returns>False where the upload is not the writer's any more.</returns>
    public async Task<bool> ReleaseAsync(Guid id, Guid lease, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            session => session.ExecuteAsync("UPDATE file SET lease = NULL WHERE id = $1 AND lease = $2 AND state = 'uploading'", id, lease), cancellationToken) == 1;

    /// <summary>Notes how far an upload is stored for good.</summary>
    /// <param name="keepsLease">Whether the writer goes on.</param>
    /// <returns>False where the upload is not the writer's any more.</returns>
    public async Task<bool> ProgressAsync(Guid id, Guid lease, long received, string draft, bool keepsLease, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            session => session.ExecuteAsync(
                $"""
                UPDATE file SET received = $3, draft = $4, expires_at = $5, lease = CASE WHEN $6 THEN lease END, lease_until = {session.Now} + $7
                WHERE id = $1 AND lease = $2 AND state = 'uploading'
                """,
                id,
                lease,
                received,
                draft,
                Expiry(),
                keepsLease,
                Microseconds(LeaseTime)),
            cancellationToken) == 1;

    /// <summary>Tells that a writer is alive which has nothing stored for good since.</summary>
    public async Task<bool> RenewAsync(Guid id, Guid lease, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            session => session.ExecuteAsync(
                $"UPDATE file SET lease_until = {session.Now} + $3 WHERE id = $1 AND lease = $2 AND state = 'uploading'", id, lease, Microseconds(LeaseTime)),
            cancellationToken) == 1;

    /// <summary>Shows a file whose bytes are all there, and gives back the room that it does not take.</summary>
    /// <returns>The file; null where it is not the writer's any more.</returns>
    public Task<StoredFile?> FinishAsync(Guid id, Guid lease, long size, string contentType, string sha256, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var surplus = await session.QueryFirstAsync(
                    "SELECT reserved - $3 FROM file WHERE id = $1 AND lease = $2", static row => row.GetInt64(0), id, lease, size);
                var file = await session.QueryFirstAsync(
                    $"""
                    UPDATE file SET state = 'ready', size = $3, received = $3, reserved = $3, content_type = $4, sha256 = $5, draft = NULL, lease = NULL, lease_until = NULL, expires_at = NULL
                    WHERE id = $1 AND lease = $2 AND state = 'uploading'
                    RETURNING {StoredFile.Columns}
                    """,
                    StoredFile.Map,
                    id,
                    lease,
                    size,
                    contentType,
                    sha256);
                if (file is not null && surplus != 0)
                {
                    await FreeAsync(session, file.UserId, surplus, files: 0);
                }

                return file;
            },
            cancellationToken);

    /// <summary>A person's file that is there.</summary>
    public Task<StoredFile?> FindAsync(Guid id, long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync($"SELECT {StoredFile.Columns} FROM file WHERE id = $1 AND user_id = $2 AND state = 'ready'", StoredFile.Map, id, userId),
            cancellationToken);

    /// <summary>A person's file, also one whose bytes are still coming.</summary>
    public Task<StoredFile?> FindUploadAsync(Guid id, long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindAsync(session, id, userId), cancellationToken);

    /// <summary>A person's files, newest first.</summary>
    /// <param name="before">Only files that were begun before this one.</param>
    public Task<List<StoredFile>> ListAsync(long userId, long? before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT {StoredFile.Columns} FROM file WHERE user_id = $1 AND number < $2 AND state = 'ready' ORDER BY number DESC LIMIT $3",
                StoredFile.Map,
                userId,
                before ?? long.MaxValue,
                limit),
            cancellationToken);

    /// <summary>What a person's files take together.</summary>
    public Task<long> UsedAsync(long userId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync("SELECT bytes FROM file_usage WHERE user_id = $1", static row => row.GetInt64(0), userId), cancellationToken);

    /// <summary>Hides a person's file, whatever state it is in, and gives back its room. A request that writes to it finds its lease gone.</summary>
    /// <returns>The file as it was; null where there is none.</returns>
    public Task<StoredFile?> DeleteAsync(Guid id, long userId, bool isReady, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeleteAsync(session, "user_id = $2 AND ($3 = FALSE OR state = 'ready')", id, userId, isReady), cancellationToken);

    /// <summary>Hides an upload whose writer gives it up.</summary>
    public Task<StoredFile?> AbandonAsync(Guid id, Guid lease, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeleteAsync(session, "lease = $2", id, lease), cancellationToken);

    /// <summary>Hides an upload for which no more bytes came in time.</summary>
    public Task<StoredFile?> ExpireAsync(Guid id, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session => DeleteAsync(session, $"((expires_at <= $2 AND (lease IS NULL OR lease_until < {session.Now})) OR (expires_at IS NULL AND user_id IS NULL))", id, time.GetMicroseconds()), cancellationToken);

    /// <summary>Files of which what is stored must go: deleted, expired, or without an owner; the oldest first.</summary>
    public Task<List<StoredFile>> ListExpiredAsync(int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"""
                SELECT {StoredFile.Columns} FROM file
                WHERE (expires_at <= $1 OR (expires_at IS NULL AND user_id IS NULL)) AND (state = 'deleted' OR lease IS NULL OR lease_until < {session.Now})
                ORDER BY expires_at LIMIT $2
                """,
                StoredFile.Map,
                time.GetMicroseconds(),
                limit),
            cancellationToken);

    /// <summary>Forgets a file that was hidden and of which nothing is stored any more.</summary>
    public Task ForgetAsync(Guid id, CancellationToken cancellationToken) =>
        database.WriteAsync(async session => { await session.ExecuteAsync("DELETE FROM file WHERE id = $1 AND state = 'deleted'", id); }, cancellationToken);

    /// <summary>Tries a hidden file again later, so that what cannot be removed now does not stand before the others.</summary>
    public Task PostponeAsync(Guid id, TimeSpan by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session => { await session.ExecuteAsync("UPDATE file SET expires_at = $2 WHERE id = $1 AND state = 'deleted'", id, (time.GetUtcNow() + by).ToMicroseconds()); },
            cancellationToken);

    /// <summary>Takes the leases of those who wrote when this server, the only one of its database, was last alive.</summary>
    public Task ForgetLeasesAsync(CancellationToken cancellationToken) =>
        database.Kind == DatabaseKind.Sqlite
            ? database.WriteAsync(async session => { await session.ExecuteAsync("UPDATE file SET lease = NULL WHERE lease IS NOT NULL"); }, cancellationToken)
            : Task.CompletedTask;

    private static ValueTask<StoredFile?> FindAsync(DbSession session, Guid id, long userId) =>
        session.QueryFirstAsync($"SELECT {StoredFile.Columns} FROM file WHERE id = $1 AND user_id = $2 AND state <> 'deleted'", StoredFile.Map, id, userId);

    private async ValueTask<StoredFile?> DeleteAsync(DbSession session, string condition, Guid id, params object[] values)
    {
        var reserved = await session.QueryFirstAsync(
            $"SELECT reserved FROM file WHERE id = $1{session.Lock("FOR UPDATE")}", static row => row.GetInt64(0), id);
        var last = values.Length + 2;
        var file = await session.QueryFirstAsync(
            $"""
            UPDATE file SET state = 'deleted', reserved = 0, lease = NULL, expires_at = ${last}
            WHERE id = $1 AND {condition} AND state <> 'deleted'
            RETURNING {StoredFile.Columns}
            """,
            StoredFile.Map,
            [id, .. values, time.GetMicroseconds()]);
        if (file is { UserId: not 0 })
        {
            await FreeAsync(session, file.UserId, reserved, files: 1);
        }

        return file;
    }

    private async ValueTask<Reservation> ReserveAsync(DbSession session, long userId, long bytes, int files)
    {
        await session.ExecuteAsync("INSERT INTO file_usage (user_id, bytes, files) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING", userId);
        var reserved = await session.ExecuteAsync(
            "UPDATE file_usage SET bytes = bytes + $2, files = files + $3 WHERE user_id = $1 AND bytes + $2 <= $4 AND files + $3 <= $5",
            userId,
            bytes,
            (long)files,
            options.Quota,
            (long)options.MaxFiles);
        if (reserved == 1)
        {
            return Reservation.Made;
        }

        // Only to tell why.
        var count = await session.QueryFirstAsync("SELECT files FROM file_usage WHERE user_id = $1", static row => row.GetInt64(0), userId);
        return count + files > options.MaxFiles ? Reservation.TooMany : Reservation.OverQuota;
    }

    private static async ValueTask FreeAsync(DbSession session, long userId, long bytes, int files) =>
        await session.ExecuteAsync("UPDATE file_usage SET bytes = bytes - $2, files = files - $3 WHERE user_id = $1", userId, bytes, (long)files);

    private static long Microseconds(TimeSpan span) => (long)span.TotalMicroseconds;

    private long Expiry() => (time.GetUtcNow() + options.UploadsKept).ToMicroseconds();
}
