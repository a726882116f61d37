using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.External;

/// <summary>
/// Codes with which a client fetches what a provider said: good once, for half a minute, for whoever has the verifier of the challenge that the sign-in was begun with. Tokens are in no address
/// that a browser keeps; a code that is seen there is worth nothing.
/// </summary>
internal sealed class ExternalCodes(Database database, TimeProvider time)
{
    public const int ChallengeLength = 43;

    private const int Bytes = 32;
    private const int CodeLength = 43;
    private const int MaxVerifier = 128;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    public async Task<string> IssueAsync(ExternalIdentity identity, string challenge, CancellationToken cancellationToken)
    {
        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        await database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO external_code (hash, challenge, provider, subject, email, email_verified, name, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                Hash(code),
                challenge,
                identity.Provider,
                identity.Subject,
                identity.Email,
                identity.IsEmailVerified,
                identity.Name,
                (time.GetUtcNow() + Lifetime).ToMicroseconds()),
            cancellationToken);
        return code;
    }

    /// <summary>Takes the code out of the database, whether it fits or not: one that was shown with the wrong verifier is known to someone.</summary>
    public async Task<ExternalIdentity?> RedeemAsync(string code, string verifier)
    {
        if (code.Length != CodeLength || verifier.Length is < ChallengeLength or > MaxVerifier)
        {
            return null;
        }

        var found = await database.WriteAsync(
            session => session.QueryFirstAsync(
                "DELETE FROM external_code WHERE hash = $1 RETURNING challenge, expires_at, provider, subject, email, email_verified, name",
                static row => new Issued(
                    row.GetString(0),
                    row.GetInstant(1),
                    new(row.GetString(2), row.GetString(3), row.GetNullableString(4), row.GetBoolean(5), row.GetNullableString(6))),
                Hash(code)),
            CancellationToken.None);
        var challenge = Base64Url.EncodeToString(Hash(verifier));
        return found is not null && found.ExpiresAt > time.GetUtcNow() && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(found.Challenge), Encoding.ASCII.GetBytes(challenge))
            ? found.Identity
            : null;
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private sealed record Issued(string Challenge, DateTimeOffset ExpiresAt, ExternalIdentity Identity);
}
