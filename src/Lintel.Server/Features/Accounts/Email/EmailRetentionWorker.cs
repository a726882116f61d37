using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>Forgets links, codes and changes whose time is over.</summary>
internal sealed class EmailRetentionWorker(Database database, TimeProvider time, ILogger<EmailRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old links and codes of mail")
{
    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        await ForgetAsync("DELETE FROM email_link WHERE hash IN (SELECT hash FROM email_link WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync("DELETE FROM email_code WHERE address IN (SELECT address FROM email_code WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync("DELETE FROM email_change WHERE id IN (SELECT id FROM email_change WHERE expires_at < $1 LIMIT $2)", now, cancellationToken);
        await ForgetAsync(
            "DELETE FROM email_budget WHERE subject IN (SELECT subject FROM email_budget WHERE hour < $1 / 3600000000 LIMIT $2)",
            now - TimeSpan.FromSeconds(EmailBudget.SecondsInHour),
            cancellationToken);
    }
}
