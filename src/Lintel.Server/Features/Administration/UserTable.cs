using System.Text.Json.Nodes;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.External;
using Lintel.Features.Accounts.Revocation;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Http;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration;

/// <summary>What came of a wish to change an account.</summary>
internal enum UserChange
{
    Done,
    NotFound,

    /// <summary>It is not as <c>If-Match</c> says any more.</summary>
    Stale,

    /// <summary>It is the last administrator who can sign in.</summary>
    LastAdmin,

    /// <summary>It is being deleted.</summary>
    Deleting,

    /// <summary>It has no second factor.</summary>
    NoFactor,

    /// <summary>Its address was never confirmed.</summary>
    Unconfirmed,
}

/// <param name="Versions">The versions for which it was meant.</param>
internal sealed record UserCommand(Actor By, string? Reason, IfMatch Versions)
{
    public JsonObject Details(params ReadOnlySpan<(string Name, string Value)> facts)
    {
        var details = new JsonObject();
        foreach (var (name, value) in facts)
        {
            details[name] = value;
        }

        if (Reason is not null)
        {
            details["reason"] = Reason;
        }

        return details;
    }
}

/// <summary>
/// The accounts, as administrators change them. That one administrator stays who can sign in is in the WHERE of what takes one away; of many at once, on any number of nodes, each
/// sees what those before it did, because all of them lock the administrators' rows first.
/// </summary>
internal sealed class UserTable(Database database, AccountAccess access, ExternalIdentityTable identities, FactorNews news, AccountAudit audit, TimeProvider time)
{
    private const string AnotherAdmin =
        "(role <> 'admin' OR is_active = FALSE OR EXISTS (SELECT 1 FROM account other WHERE other.role = 'admin' AND other.is_active AND other.deleted_at IS NULL AND other.id <> $1))";

    public Task<User?> FindAsync(long id, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindAsync(session, id), cancellationToken);

    /// <summary>Accounts, newest first.</summary>
    /// <param name="before">Only accounts older than this one.</param>
    public Task<List<User>> ListAsync(UserFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"""
                SELECT {User.Columns} FROM account
                WHERE id < $1 AND ($2 = '' OR role = $2)
                  AND ($3 = '' OR CASE WHEN deleted_at IS NOT NULL THEN 'deleting' WHEN is_active THEN 'active' ELSE 'disabled' END = $3)
                  AND ($4 = '' OR email_normalized LIKE $4 || '%' ESCAPE '\' OR lower(name) LIKE '%' || $4 || '%' ESCAPE '\')
                ORDER BY id DESC LIMIT $5
                """,
                User.Map,
                before,
                filter.Role ?? "",
                filter.State ?? "",
                Escape(EmailAddress.Normalize(filter.Search ?? "")),
                (long)limit),
            cancellationToken);

    /// <summary>Keeps a person from signing in, and ends all that they are signed in with.</summary>
    public Task<(UserChange Change, User? User)> DisableAsync(long id, UserCommand command, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            command,
            $"UPDATE account SET is_active = FALSE WHERE id = $1 AND {AnotherAdmin}",
            async (unit, user, now) =>
            {
                await access.EndSessionsAsync(unit, id, AccountAccess.AccountDisabled, now, command.By);
                await access.RevokeKeysAsync(unit, id, Scopes.None, AccountAccess.AccountDisabled, now, command.By);
                if (user.IsActive)
                {
                    await audit.AddAsync(unit, id, AccountEvents.Disabled, command.By, command.Details());
                }
            },
            cancellationToken);

    /// <summary>Lets a person sign in again.</summary>
    public Task<(UserChange Change, User? User)> EnableAsync(long id, UserCommand command, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            command,
            "UPDATE account SET is_active = TRUE WHERE id = $1",
            async (unit, user, _) =>
            {
                if (!user.IsActive)
                {
                    await audit.AddAsync(unit, id, AccountEvents.Enabled, command.By, command.Details());
                }
            },
            cancellationToken);

    /// <summary>
    /// Makes an administrator of a user, or the reverse: whose sessions end then, and keys that could administer. Whoever registered an address that was never confirmed may be
    /// somebody else, and becomes none.
    /// </summary>
    /// <param name="force">Whether <paramref name="command"/>'s giver vouches for an address that was never confirmed.</param>
    public Task<(UserChange Change, User? User)> ChangeRoleAsync(long id, string role, bool force, UserCommand command, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            command,
            role != AccountRoles.Admin ? $"UPDATE account SET role = 'user' WHERE id = $1 AND {AnotherAdmin}"
                : force ? "UPDATE account SET role = 'admin', email_verified_at = COALESCE(email_verified_at, $2) WHERE id = $1"
                : "UPDATE account SET role = 'admin' WHERE id = $1 AND (email_verified_at IS NOT NULL OR role = 'admin')",
            async (unit, user, now) =>
            {
                if (user.Role == role)
                {
                    return;
                }

                // Tokens say what they may do, so those of before must not be taken any more; of a new administrator they only say too little.
                if (role != AccountRoles.Admin)
                {
                    await access.EndSessionsAsync(unit, id, AccountAccess.RoleChanged, now, command.By);
                    await access.RevokeKeysAsync(unit, id, Scopes.Admin, AccountAccess.RoleChanged, now, command.By);
                }

                // The log of all comes behind the sessions, as it does where somebody signs out.
                await audit.AddAsync(unit, id, AccountEvents.RoleChanged, command.By, command.Details(("from", user.Role), ("to", role)));
            },
            cancellationToken,
            role == AccountRoles.Admin ? UserChange.Unconfirmed : UserChange.LastAdmin);

    /// <summary>Ends a person's sessions; their keys too, where that is asked for.</summary>
    public Task<(UserChange Change, SignedOutUser? Ended)> SignOutAsync(long id, bool keysToo, UserCommand command, CancellationToken cancellationToken) =>
        database.WriteAsync<(UserChange, SignedOutUser?)>(
            async unit =>
            {
                var (refused, user) = await HoldAsync(unit, id, command);
                if (user is null)
                {
                    return (refused, null);
                }

                var now = time.GetUtcNow();
                var sessions = await access.EndSessionsAsync(unit, id, AccountAccess.ByAdministrator, now, command.By);
                var keys = keysToo ? await access.RevokeKeysAsync(unit, id, Scopes.None, AccountAccess.ByAdministrator, now, command.By) : 0;
                await audit.AddAsync(unit, id, AccountEvents.SignedOutByAdmin, command.By, command.Details());
                return (UserChange.Done, new(sessions, keys));
            },
            cancellationToken);

    /// <summary>Takes a person's second factors away, so that the password is enough again, and ends their sessions: whoever had the factors may have been somebody else.</summary>
    public Task<(UserChange Change, RemovedFactors? Removed)> RemoveFactorsAsync(long id, UserCommand command, CancellationToken cancellationToken) =>
        database.WriteAsync<(UserChange, RemovedFactors?)>(
            async unit =>
            {
                var (refused, user) = await HoldAsync(unit, id, command);
                if (user is null)
                {
                    return (refused, null);
                }

                var had = (await FactorTable.FindAsync(unit, id))!;
                if (!had.Any)
                {
                    return (UserChange.NoFactor, null);
                }

                await FactorTable.RemoveAllAsync(unit, id);
                var sessions = await access.EndSessionsAsync(unit, id, AccountAccess.FactorsRemoved, time.GetUtcNow(), command.By);
                await news.AllRemovedAsync(unit, id, command.By, had, "by an administrator, and you were signed out everywhere", command.Details());
                return (UserChange.Done, new(had.HasTotp, had.Passkeys, sessions));
            },
            cancellationToken);

    /// <summary>
    /// Takes an account out of its owner's hands, for good: nobody can sign in to it, nothing tells whose it was, and its address is free. What it has is removed afterwards.
    /// </summary>
    public Task<(UserChange Change, User? User)> BeginDeletionAsync(long id, UserCommand command, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            command,
            $"""
            UPDATE account SET is_active = FALSE, role = 'user', deleted_at = $2, email = 'deleted-' || id, email_normalized = 'deleted-' || id,
                name = NULL, password_hash = '', password_version = password_version + 1, email_verified_at = NULL
            WHERE id = $1 AND {AnotherAdmin}
            """,
            async (unit, _, now) =>
            {
                await access.EndSessionsAsync(unit, id, AccountAccess.AccountDeleted, now, command.By);
                await access.RevokeKeysAsync(unit, id, Scopes.None, AccountAccess.AccountDeleted, now, command.By);

                // Who they are to other providers goes at once: they may come back with the same and begin anew.
                await identities.ForgetAllAsync(unit, id, command.By);
                await audit.AddAsync(unit, id, AccountEvents.DeletionBegan, command.By, command.Details());
            },
            cancellationToken);

    /// <summary>Locks what the decision is about: the account, and all administrators, in one order for all who do this.</summary>
    public static async ValueTask LockAsync(DbSession unit, long id)
    {
        if (unit.Kind == DatabaseKind.Postgres)
        {
            await unit.QueryAsync(
                "SELECT id FROM account WHERE id = $1 OR role = 'admin' ORDER BY id FOR NO KEY UPDATE", static row => row.GetInt64(0), id);
        }
    }

    /// <summary>The account as it stays until the unit's end; null, and why, where nothing can be done to it.</summary>
    private static async ValueTask<(UserChange Change, User? User)> HoldAsync(DbSession unit, long id, UserCommand command)
    {
        await LockAsync(unit, id);
        return await FindAsync(unit, id) switch
        {
            null => (UserChange.NotFound, null),
            { DeletedAt: not null } => (UserChange.Deleting, null),
            { } user when !command.Versions.Allows(user.ETag) => (UserChange.Stale, null),
            { } user => (UserChange.Done, user),
        };
    }

    private static ValueTask<User?> FindAsync(DbSession unit, long id) =>
        unit.QueryFirstAsync($"SELECT {User.Columns} FROM account WHERE id = $1", User.Map, id);

    private Task<(UserChange Change, User? User)> ChangeAsync(
        long id,
        UserCommand command,
        string update,
        Func<DbSession, User, DateTimeOffset, ValueTask> also,
        CancellationToken cancellationToken,
        UserChange refusal = UserChange.LastAdmin) =>
        database.WriteAsync<(UserChange, User?)>(
            async unit =>
            {
                var (refused, before) = await HoldAsync(unit, id, command);
                if (before is null)
                {
                    return (refused, null);
                }

                var now = time.GetUtcNow();
                object?[] values = update.Contains("$2", StringComparison.Ordinal) ? [id, now.ToMicroseconds()] : [id];
                if (await unit.ExecuteAsync(update, values) == 0)
                {
                    return (refusal, before);
                }

                await also(unit, before, now);
                return (UserChange.Done, await FindAsync(unit, id));
            },
            cancellationToken);

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
