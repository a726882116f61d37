using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>Bounds how much is mailed to one address in an hour: nobody fills a stranger's mailbox. Mail about other things is counted elsewhere, so neither uses up the other's.</summary>
internal sealed class EmailBudget(EmailSecrets secrets, TimeProvider time)
{
    public const long SecondsInHour = 3600;

    /// <summary>Counts a message of this hour, unless there were as many as may be.</summary>
    /// <param name="kind">What it is about: each kind has a budget of its own.</param>
    /// <param name="subject">Whom it is for.</param>
    public async ValueTask<bool> TakeAsync(DbSession unit, string kind, string subject, int most) =>

        // A node whose clock is behind counts in the hour that another has begun.
        await unit.ExecuteAsync(
            """
            INSERT INTO email_budget (subject, hour, used) VALUES ($1, $2, 1)
            ON CONFLICT (subject) DO UPDATE SET
                used = CASE WHEN email_budget.hour < excluded.hour THEN 1 ELSE email_budget.used + 1 END,
                hour = CASE WHEN email_budget.hour < excluded.hour THEN excluded.hour ELSE email_budget.hour END
            WHERE email_budget.hour < excluded.hour OR email_budget.used < $3
            """,
            secrets.Hash("budget " + kind, subject),
            time.GetUtcNow().ToUnixTimeSeconds() / SecondsInHour,
            (long)most) == 1;
}
