using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

/// <summary>Encrypts anew, at the start, the secrets that are encrypted with the server's key of before, so that it can be forgotten.</summary>
internal sealed class TotpReencryption(Database database, FactorSecrets secrets) : BackgroundService
{
    private const long BatchSize = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (secrets.HasPreviousKey)
        {
            await RunAsync(stoppingToken);
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        long last = 0;
        while (true)
        {
            var rows = await database.ReadAsync(
                session => session.QueryAsync(
                    "SELECT account_id, secret FROM totp WHERE account_id > $1 ORDER BY account_id LIMIT $2", static row => (Id: row.GetInt64(0), Secret: row.GetBytes(1)), last, BatchSize),
                cancellationToken);
            if (rows.Count == 0)
            {
                return;
            }

            foreach (var (id, kept) in rows)
            {
                last = id;
                if (secrets.DecryptPrevious(id, kept) is { } secret)
                {
                    var encrypted = secrets.Encrypt(id, secret);
                    await database.WriteAsync(
                        async unit => { await unit.ExecuteAsync("UPDATE totp SET secret = $2 WHERE account_id = $1 AND secret = $3", id, encrypted, kept); }, cancellationToken);
                }
            }
        }
    }
}
