using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Credentials;

/// <summary>
/// Tickets stand in for a header where browsers can send none. Each is good once, for half a minute, for one path; the database keeps its
/// hash alone.
/// </summary>
internal sealed class Tickets(Database database, RevokedCredentials revoked, RateLimiting limits, TimeProvider time) : ITicketRedeemer
{
    private const int Bytes = 32;
    private const int Length = 43;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    public async Task<WsTicket> IssueAsync(Caller caller, string path, CancellationToken cancellationToken)
    {
        var ticket = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        var now = time.GetUtcNow();
        await database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO ws_ticket (hash, path, owner_id, session_id, email, scopes, rate_limit_key, caller_expires_at, expires_at, key_id, rate_limit)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                """,
                Hash(ticket),
                path,
                caller.OwnerId,
                caller.SessionId,
                caller.Email,
                (int)caller.Scopes,
                caller.RateLimitKey,
                caller.ExpiresAt.ToMicroseconds(),
                (now + Lifetime).ToMicroseconds(),
                caller.KeyId,
                caller.RateLimit?.Requests),
            cancellationToken);
        return new(ticket, (long)Lifetime.TotalSeconds);
    }

    /// <summary>Takes the ticket out of the database, whether it fits or not: one that was shown on the wrong path is known to someone.</summary>
    public async ValueTask<CallerResult> RedeemAsync(string ticket, string path, CancellationToken cancellationToken)
    {
        if (ticket.Length != Length)
        {
            return CallerResult.Invalid;
        }

        var found = await database.WriteAsync(
            session => session.QueryFirstAsync(
                """
                DELETE FROM ws_ticket WHERE hash = $1
                RETURNING path, expires_at, owner_id, session_id, email, scopes, rate_limit_key, caller_expires_at, key_id, rate_limit
                """,
                row => new Issued(
                    row.GetString(0),
                    row.GetInstant(1),
                    new Caller
                    {
                        OwnerId = row.GetInt64(2),
                        SessionId = row.GetNullableGuid(3),
                        Email = row.GetNullableString(4),
                        Scopes = (Scopes)row.GetInt32(5),
                        RateLimitKey = row.GetString(6),
                        ExpiresAt = row.GetInstant(7),
                        KeyId = row.GetNullableGuid(8),
                        RateLimit = limits.OwnLimit(row.IsDBNull(9) ? null : row.GetInt32(9)),
                    }),
                Hash(ticket)),
            cancellationToken);

        var now = time.GetUtcNow();
        if (found is null || found.Path != path || found.ExpiresAt <= now)
        {
            return CallerResult.Invalid;
        }

        if (found.Caller.ExpiresAt <= now)
        {
            return CallerResult.Expired;
        }

        return found.Caller.CredentialId is { } id && revoked.Contains(id) ? CallerResult.Revoked : CallerResult.Valid(found.Caller);
    }

    private static byte[] Hash(string ticket) => SHA256.HashData(Encoding.UTF8.GetBytes(ticket));

    private sealed record Issued(string Path, DateTimeOffset ExpiresAt, Caller Caller);
}
