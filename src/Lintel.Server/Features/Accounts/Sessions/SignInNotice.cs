using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Guessing;
using Lintel.Features.Mail;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>
/// Tells of a new session: always in the account's activity, and by mail where it is on a device that the account was not signed in with lately. A device is a network and a kind of
/// program there; which those were is kept as keyed hashes. The first device of a new account is told of to nobody.
/// </summary>
internal sealed class SignInNotice(AccountAudit audit, AccountMail mail, SecretKey secret, ServerOptions server)
{
    public const string Template = "new_device";

    private const int KeyLength = 32;
    private const int HashLength = 16;

    // Whoever is always elsewhere must not fill the table.
    private const long DevicesPerAccount = 50;

    private static readonly TimeSpan DevicesKept = TimeSpan.FromDays(180);

    private readonly byte[] _key = secret.Derive("lintel devices v1", [], KeyLength);

    /// <summary>Notes it as part of the unit that opens the session.</summary>
    public async ValueTask AddAsync(DbSession unit, AccountSecrets account, Guid sessionId, SessionOpening opening, DateTimeOffset now)
    {
        var client = opening.Client;
        var device = DeviceName.Of(client.UserAgent);
        var isNew = await IsNewAsync(unit, account.Id, HashOf(client, device), now);
        if (isNew)
        {
            Dictionary<string, string?> fields = new()
            {
                ["server"] = server.AppName,
                ["url"] = server.PublicUrl.AbsoluteUri,
                ["device"] = device,
                ["address"] = client.Address,
                ["time"] = MailTime.ToText(now),
            };
            await mail.AddAsync(unit, account.Id, account.Email, Template, fields);
        }

        await audit.AddAsync(
            unit, account.Id, AccountEvents.SignedIn, new Actor(account.Id, sessionId, Client: client), new() { ["methods"] = opening.Methods, ["new_device"] = isNew });
    }

    private static async ValueTask<bool> IsNewAsync(DbSession unit, long accountId, byte[] device, DateTimeOffset now)
    {
        var until = (now + DevicesKept).ToMicroseconds();
        if (await unit.ExecuteAsync("UPDATE account_device SET expires_at = $3 WHERE account_id = $1 AND device = $2", accountId, device, until) == 1)
        {
            return false;
        }

        // An old account that has none was not used for long: whoever comes now may be somebody else.
        var isFirst = await unit.QueryFirstAsync(
            "SELECT 1 FROM account WHERE id = $1 AND created_at > $2 AND NOT EXISTS (SELECT 1 FROM account_device WHERE account_id = $1)",
            static row => row.GetInt32(0),
            accountId,
            (now - DevicesKept).ToMicroseconds()) == 1;
        var added = await unit.ExecuteAsync(
            "INSERT INTO account_device (account_id, device, expires_at) VALUES ($1, $2, $3) ON CONFLICT (account_id, device) DO NOTHING", accountId, device, until);

        // What another sign-in is writing is in use: it is left alone, and nobody waits.
        await unit.ExecuteAsync(
            $"""
            DELETE FROM account_device WHERE account_id = $1 AND device IN (
                SELECT device FROM account_device
                WHERE account_id = $1 AND expires_at < (SELECT expires_at FROM account_device WHERE account_id = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)
                {unit.Lock("FOR UPDATE SKIP LOCKED")})
            """,
            accountId,
            DevicesPerAccount - 1);

        // Of two sign-ins at once with one new device, one tells of it.
        return added == 1 && !isFirst;
    }

    private byte[] HashOf(ClientInfo client, string device)
    {
        Span<byte> network = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(network, GuessKeys.NetworkOf(client));
        return HMACSHA256.HashData(_key, (byte[])[.. network, .. Encoding.UTF8.GetBytes(device)])[..HashLength];
    }
}
