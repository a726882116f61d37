using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>Forgets how much mail was asked for in hours that are over.</summary>
internal sealed class EmailRetentionWorker(Database database, TimeProvider time, ILogger<EmailRetentionWorker> logger)
    : RetentionWorker(database, time, logger, "Old counts of mail")
{
    public override Task ForgetAsync(CancellationToken cancellationToken) =>
        ForgetAsync(
            "DELETE FROM email_budget WHERE subject IN (SELECT subject FROM email_budget WHERE hour < $1 / 3600000000 LIMIT $2)",
            Time.GetUtcNow() - TimeSpan.FromSeconds(EmailBudget.SecondsInHour),
            cancellationToken);
}
