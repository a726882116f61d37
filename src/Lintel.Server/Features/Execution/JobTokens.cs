using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Execution;

/// <summary>
/// Tokens with which a browser may run one program without holding a key. Each is good once, for a quarter of an hour, for the job it was issued for; the database
/// decides, and keeps its hash alone.
/// </summary>
internal sealed class JobTokens(Database database, RevokedCredentials revoked, TimeOrderedIds ids, TimeProvider time)
{
    private const int Bytes = 32;
    private const int Length = 43;

    private static readonly TimeSpan Lifetime = RevokedCredentials.LongestIssued;

    public async Task<CreatedJobToken> IssueAsync(Caller caller, CancellationToken cancellationToken)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        var now = time.GetUtcNow();
        var jobId = ids.Next();

        // A person's access token ends sooner than what it was good for; a key's end is the end of all that it made.
        var callerExpiresAt = caller.KeyId is null ? DateTimeOffset.MaxValue : caller.ExpiresAt;
        var expiresAt = callerExpiresAt - now < Lifetime ? callerExpiresAt : now + Lifetime;
        await database.WriteAsync(
            async session =>
            {
                // Those that were never used go with the next ones.
                await session.ExecuteAsync("DELETE FROM job_token WHERE hash IN (SELECT hash FROM job_token WHERE expires_at < $1 LIMIT 100)", now.ToMicroseconds());
                await session.ExecuteAsync(
                    "INSERT INTO job_token (hash, job_id, owner_id, session_id, email, rate_limit_key, expires_at, key_id, caller_expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    Hash(token),
                    jobId,
                    caller.OwnerId,
                    caller.SessionId,
                    caller.Email,
                    caller.RateLimitKey,
                    expiresAt.ToMicroseconds(),
                    caller.KeyId,
                    callerExpiresAt.ToMicroseconds());
            },
            cancellationToken);
        return new CreatedJobToken(jobId, token, Instant.FromMicroseconds(expiresAt.ToMicroseconds()));
    }

    /// <summary>Uses a token up, whether it fits or not: one that was shown with another job is known to someone.</summary>
    public async ValueTask<CallerResult> RedeemAsync(Guid jobId, string token)
    {
        if (token.Length != Length)
        {
            return CallerResult.Invalid;
        }

        var found = await database.WriteAsync(
            session => session.QueryFirstAsync(
                "DELETE FROM job_token WHERE hash = $1 RETURNING job_id, expires_at, owner_id, session_id, email, rate_limit_key, key_id, caller_expires_at",
                static row => new Issued(
                    row.GetGuid(0),
                    row.GetInstant(1),
                    new Caller
                    {
                        OwnerId = row.GetInt64(2),
                        SessionId = row.GetNullableGuid(3),
                        Email = row.GetNullableString(4),
                        Scopes = Scopes.Execute,
                        RateLimitKey = row.GetString(5),
                        KeyId = row.GetNullableGuid(6),
                        ExpiresAt = row.GetInstant(7),
                    }),
                Hash(token)),
            CancellationToken.None);
        if (found is null || found.JobId != jobId || found.ExpiresAt <= time.GetUtcNow())
        {
            return CallerResult.Invalid;
        }

        return found.Caller.CredentialId is { } id && revoked.Contains(id) ? CallerResult.Revoked : CallerResult.Valid(found.Caller);
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private sealed record Issued(Guid JobId, DateTimeOffset ExpiresAt, Caller Caller);
}
