using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Devices;

/// <summary>
/// Devices on which a password is enough for thirty days, by a token that they keep. It is bound to the password and the factors that the account had: a change of either forgets them
/// all. Never enough to prove once more who one is. Where there is no second factor such a device is only known: what strangers try elsewhere does not slow it down.
/// </summary>
internal sealed class RememberedDevices(Database database, FactorSecrets secrets, FactorNews news, TimeOrderedIds ids, TimeProvider time)
{
    /// <summary>A request header that carries the token, for every way to sign in.</summary>
    public const string Header = "X-Device-Token";

    private const string Use = "device";
    private const string Prefix = "ltd_";
    private const int MaxToken = 100;

    // The oldest give way.
    private const long MaxOfAccount = 20;

    private const string IsCurrent =
        "expires_at > $2 AND EXISTS (SELECT 1 FROM account a WHERE a.id = account_id AND a.password_version = remembered_device.password_version AND a.factor_version = remembered_device.factor_version)";

    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>The token of a request's header; null where there is none.</summary>
    public static string? TokenOf(HttpContext context) => context.Request.Headers[Header] is [{ Length: > 0 } token] ? token : null;

    /// <summary>Remembers the device that a session was just opened on, unless the account has changed since <paramref name="account"/> was read.</summary>
    /// <returns>The token, which is kept nowhere here.</returns>
    public Task<string?> AddAsync(AccountSecrets account, long factorVersion, Guid sessionId, ClientInfo client, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var token = Prefix + FactorSecrets.NewToken();
        return database.WriteAsync<string?>(
            async unit =>
            {
                var added = await unit.ExecuteAsync(
                    """
                    INSERT INTO remembered_device (id, account_id, hash, password_version, factor_version, session_id, user_agent, address, created_at, last_used_at, expires_at)
                    SELECT $1, a.id, $3, a.password_version, a.factor_version, $6, $7, $8, $9, $9, $10 FROM account a
                    WHERE a.id = $2 AND a.is_active AND a.password_version = $4 AND a.factor_version = $5
                    """,
                    ids.Next(),
                    account.Id,
                    secrets.Hash(Use, token),
                    account.PasswordVersion,
                    factorVersion,
                    sessionId,
                    client.UserAgent,
                    client.Address,
                    now.ToMicroseconds(),
                    (now + Lifetime).ToMicroseconds());
                if (added == 0)
                {
                    return null;
                }

                await unit.ExecuteAsync(
                    "DELETE FROM remembered_device WHERE account_id = $1 AND id NOT IN (SELECT id FROM remembered_device WHERE account_id = $1 ORDER BY id DESC LIMIT $2)",
                    account.Id,
                    MaxOfAccount);
                await news.NoteAsync(unit, account.Id, new Actor(account.Id, sessionId, Client: client), AccountEvents.DeviceRemembered);
                return token;
            },
            cancellationToken);
    }

    /// <summary>The device whose token this is, if it is one of the account's that is still remembered.</summary>
    public Task<Guid?> FindAsync(long accountId, string? token, CancellationToken cancellationToken) => FindAsync("$1", accountId, token, cancellationToken);

    /// <summary>The same for whoever says to have an address; whether somebody has it makes no difference.</summary>
    public async Task<Guid?> FindAsync(string normalized, string? token, CancellationToken cancellationToken) =>
        EmailAddress.IsValid(normalized) ? await FindAsync("(SELECT o.id FROM account o WHERE o.email_normalized = $1)", normalized, token, cancellationToken) : null;

    private async Task<Guid?> FindAsync(string owner, object key, string? token, CancellationToken cancellationToken) =>
        token is null or { Length: > MaxToken }
            ? null
            : await database.ReadAsync(
                session => session.QueryFirstAsync(
                    $"SELECT id FROM remembered_device WHERE hash IN ($3, $4) AND account_id = {owner} AND {IsCurrent}",
                    static row => (Guid?)row.GetGuid(0),
                    key,
                    time.GetUtcNow().ToMicroseconds(),
                    secrets.Hash(Use, token),
                    secrets.PreviousHash(Use, token)),
                cancellationToken);

    /// <summary>Notes the session that was opened on a device.</summary>
    public Task NoteAsync(Guid id, Guid sessionId, ClientInfo client, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                await unit.ExecuteAsync(
                    "UPDATE remembered_device SET last_used_at = $2, session_id = $3, user_agent = $4, address = $5 WHERE id = $1",
                    id,
                    time.GetUtcNow().ToMicroseconds(),
                    sessionId,
                    client.UserAgent,
                    client.Address);
            },
            cancellationToken);

    /// <summary>The account's devices, the one that was remembered last first.</summary>
    public Task<List<DeviceView>> ListAsync(long accountId, Guid? sessionId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT id, user_agent, address, created_at, last_used_at, expires_at, session_id FROM remembered_device WHERE account_id = $1 AND {IsCurrent} ORDER BY id DESC",
                row => new DeviceView(
                    row.GetGuid(0), row.GetNullableString(1), row.GetNullableString(2), row.GetInstant(3), row.GetInstant(4), row.GetInstant(5), row.GetGuid(6) == sessionId),
                accountId,
                time.GetUtcNow().ToMicroseconds()),
            cancellationToken);

    /// <summary>Forgets a device. False where the account has none of this id.</summary>
    public Task<bool> RemoveAsync(long accountId, Guid id, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                var removed = await unit.ExecuteAsync("DELETE FROM remembered_device WHERE id = $1 AND account_id = $2", id, accountId) == 1;
                if (removed)
                {
                    await news.NoteAsync(unit, accountId, by, AccountEvents.DeviceForgotten);
                }

                return removed;
            },
            cancellationToken);
}
