using System.Security.Cryptography;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>
/// Sign-in by a code that was mailed. Each address has one, the newest, whether or not it is somebody's; a try is counted in its row before it is compared, so that many at once
/// have no more tries than one after the other.
/// </summary>
internal sealed class EmailCodes(
    Database database, EmailSecrets secrets, AccountTable accounts, MailboxClaims claims, SignInCompletion completion, Guesses guesses, RememberedDevices devices, EmailLog log, TimeProvider time)
{
    private const string AddressPurpose = "code address";
    private const string CodePurpose = "code";
    private const long MostAttempts = 5;

    // Strangers who use up a code leave its owner as many more.
    private const long MostAttemptsWhereKnown = 2 * MostAttempts;

    /// <summary>Makes a code, in place of an older one, as part of <paramref name="unit"/>.</summary>
    /// <param name="account">Whose address it is; nobody's where null, and then no code fits.</param>
    public async ValueTask<string> MakeAsync(DbSession unit, string normalized, LinkedAccount? account)
    {
        var code = EmailSecrets.NewCode();
        await unit.ExecuteAsync(
            """
            INSERT INTO email_code (address, code, account_id, password_version, attempts, expires_at) VALUES ($1, $2, $3, $4, 0, $5)
            ON CONFLICT (address) DO UPDATE SET
                code = excluded.code, account_id = excluded.account_id, password_version = excluded.password_version, attempts = 0, expires_at = excluded.expires_at
            """,
            secrets.Hash(AddressPurpose, normalized),
            HashCode(normalized, code),
            account?.Id,
            account?.PasswordVersion,
            (time.GetUtcNow() + EmailOptions.CodeLifetime).ToMicroseconds());
        return code;
    }

    /// <summary>Signs somebody in by their newest code. Whatever is wrong, the answer is the same.</summary>
    public async Task<SignInResult> SignInAsync(string email, string code, string? deviceToken, bool rememberDevice, ClientInfo client, CancellationToken cancellationToken)
    {
        var normalized = EmailAddress.Normalize(email);
        if (!EmailAddress.IsValid(normalized) || await UseAsync(normalized, code, deviceToken, client, cancellationToken) is not { } proof
            || await accounts.FindSecretsAsync(normalized, cancellationToken) is not { IsActive: true } account
            || account.Id != proof.AccountId || account.PasswordVersion != proof.PasswordVersion)
        {
            log.CodeRefused();
            return new(SignInStatus.Refused);
        }

        account = await database.WriteAsync(
            async unit =>
            {
                await claims.ClaimByCodeAsync(unit, account, normalized, new(account.Id, Client: client));
                return await AccountTable.FindSecretsAsync(unit, account.Id);
            },
            cancellationToken);
        if (account is null)
        {
            return new(SignInStatus.Refused);
        }

        await guesses.SucceededAsync(GuessKind.Code, normalized, client, null, cancellationToken);
        return await completion.CompleteAsync(account, new(AuthMethods.EmailCode, client) { DeviceToken = deviceToken, RememberDevice = rememberDevice }, cancellationToken);
    }

    private async Task<CodeProof?> UseAsync(string normalized, string code, string? deviceToken, ClientInfo client, CancellationToken cancellationToken)
    {
        var isKnown = await guesses.IsKnownAsync(normalized, client, cancellationToken) || await devices.FindAsync(normalized, deviceToken, cancellationToken) is not null;
        var most = isKnown ? MostAttemptsWhereKnown : MostAttempts;
        var address = secrets.Hash(AddressPurpose, normalized);
        var kept = await database.WriteAsync(
            unit => unit.QueryFirstAsync(
                "UPDATE email_code SET attempts = attempts + 1 WHERE address = $1 AND attempts < $2 AND expires_at > $3 RETURNING code",
                static row => row.GetBytes(0),
                address,
                most,
                time.GetMicroseconds()),
            cancellationToken);
        var given = EmailSecrets.ReadCode(code) is { } digits ? HashCode(normalized, digits) : [];
        if (kept is null || !CryptographicOperations.FixedTimeEquals(kept, given))
        {
            return null;
        }

        // Used up by whoever deletes it; one of nobody is kept, as if it had been wrong.
        return await database.WriteAsync(
            unit => unit.QueryFirstAsync(
                "DELETE FROM email_code WHERE address = $1 AND code = $2 AND account_id IS NOT NULL RETURNING account_id, password_version",
                static row => new CodeProof(row.GetInt64(0), row.GetInt64(1)),
                address,
                kept),
            cancellationToken);
    }

    private byte[] HashCode(string normalized, string code) => secrets.Hash(CodePurpose, $"{normalized}\n{code}");

    private sealed record CodeProof(long AccountId, long PasswordVersion);
}
