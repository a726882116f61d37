using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Accounts.Email;

/// <summary>What people ask to be mailed. The words are in the database.</summary>
internal static class EmailPurposes
{
    public const string Verify = "verify";
    public const string ResetPassword = "password_reset";
    public const string SignInCode = "code";
    public const string Change = "change";
}

/// <summary>Something that is to be mailed.</summary>
/// <param name="Email">To whom; a new address, where the purpose is a change.</param>
/// <param name="AccountId">Who asks, where that matters.</param>
internal sealed record EmailRequest(Guid Id, string Purpose, string Email, long? AccountId, ClientInfo Client);

/// <summary>
/// Requests for mail that wait to be looked at. Who asks gets an answer once the request is kept, before anybody knows whether there is such an account: what is written until then
/// is the same for every address, and so is the time it takes.
/// </summary>
internal sealed class EmailRequests(
    Database database, EmailBudget budget, EmailSecrets secrets, Guesses guesses, RememberedDevices devices, EmailOptions options, TimeOrderedIds ids, TimeProvider time)
{
    // Far more than wait in a healthy server, and bounded all the same.
    private const long MostWaiting = 10_000;

    private static readonly TimeSpan Hour = TimeSpan.FromSeconds(EmailBudget.SecondsInHour);

    /// <summary>Is set when there is something to do.</summary>
    public AsyncSignal Arrived { get; } = new();

    /// <summary>
    /// Keeps a request. Where the address was sent as much this hour as it may be at once, it is done later: one such waits for each address and purpose, and stands for all that come
    /// meanwhile. So strangers who ask all the time delay the owner's mail a little, and keep it from nobody.
    /// </summary>
    /// <returns>False where too many wait.</returns>
    public async Task<bool> AddAsync(string purpose, string email, long? accountId, string? deviceToken, ClientInfo client, CancellationToken cancellationToken)
    {
        var (share, subject) = await ShareOfAsync(purpose, EmailAddress.Normalize(email), deviceToken, client, cancellationToken);
        return await database.WriteAsync(
            async unit =>
            {
                // Their own first: who has asked for as much as one may uses up nothing of an address that somebody else may want.
                if (accountId is { } asks && !await budget.TakeAsync(unit, purpose + " by", $"{asks}", options.RequestsPerHour))
                {
                    return true;
                }

                var isFree = await budget.TakeAsync(unit, share, subject, options.RequestsPerHour);
                if (accountId is not null && !isFree)
                {
                    return true;
                }

                var isKept = await unit.ExecuteAsync(
                    """
                    INSERT INTO email_request (id, purpose, email, account_id, user_agent, address, due_at, delayed)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM email_request WHERE (due_at = 0) = ($7 = 0)) < $9
                    ON CONFLICT (delayed) DO NOTHING
                    """,
                    ids.Next(),
                    purpose,
                    email,
                    accountId,
                    client.UserAgent,
                    client.Address,
                    isFree ? 0L : (time.GetUtcNow() + (Hour / options.RequestsPerHour)).ToMicroseconds(),
                    isFree ? null : secrets.Hash("delayed " + share, subject),
                    MostWaiting) == 1;
                unit.AfterCommit(Arrived.Set);
                return isKept || !isFree;
            },
            cancellationToken);
    }

    /// <summary>The one that waits longest of those that are due; null where none does.</summary>
    public Task<Guid?> FindNextAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryFirstAsync("SELECT id FROM email_request WHERE due_at <= $1 ORDER BY id LIMIT 1", static row => (Guid?)row.GetGuid(0), time.GetMicroseconds()),
            cancellationToken);

    /// <summary>Takes a request as part of the unit that does what it asks for; null where another node did.</summary>
    public static ValueTask<EmailRequest?> TakeAsync(DbSession unit, Guid id) =>
        unit.QueryFirstAsync(
            "DELETE FROM email_request WHERE id = $1 RETURNING id, purpose, email, account_id, user_agent, address",
            static row => new EmailRequest(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetInt64(3), new ClientInfo(row.GetNullableString(4), row.GetNullableString(5))),
            id);

    public Task RemoveAsync(Guid id, CancellationToken cancellationToken) =>
        database.WriteAsync(async unit => { await unit.ExecuteAsync("DELETE FROM email_request WHERE id = $1", id); }, cancellationToken);

    /// <summary>Of what a request is counted. Whoever signed in from there lately has a share that strangers elsewhere cannot use up, and so has each device that is remembered.</summary>
    private async Task<(string Share, string Subject)> ShareOfAsync(string purpose, string normalized, string? deviceToken, ClientInfo client, CancellationToken cancellationToken)
    {
        if (await devices.FindAsync(normalized, deviceToken, cancellationToken) is { } device)
        {
            return (purpose + " device", $"{device}");
        }

        return (await guesses.IsKnownAsync(normalized, client, cancellationToken) ? purpose + " known" : purpose, normalized);
    }
}
