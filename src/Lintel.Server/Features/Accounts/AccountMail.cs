using System.Globalization;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Mail;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>
/// Mail about the account itself. It is queued in the transaction of what it tells of, and counted apart from all other mail: neither can use up the other's share.
/// </summary>
internal sealed class AccountMail(MailQueue mail, EmailBudget budget)
{
    // Each kind by itself: whoever makes one happen again and again cannot silence another with it.
    private const int MostOfKindPerHour = 10;

    /// <summary>Tells the owner of something that happened.</summary>
    /// <param name="template">The name of a registered template; its files are in <c>Features/Accounts/Mail</c>.</param>
    public async ValueTask AddAsync(DbSession unit, long accountId, string recipient, string template, Dictionary<string, string?> fields)
    {
        if (await budget.TakeAsync(unit, "alert " + template, accountId.ToString(CultureInfo.InvariantCulture), MostOfKindPerHour))
        {
            await mail.AddUncountedAsync(unit, accountId, recipient, template, fields);
        }
    }

    /// <summary>Sends what somebody asked for, which was counted when they asked.</summary>
    /// <param name="template">The name of a registered template; its files are in <c>Features/Accounts/Mail</c>.</param>
    public ValueTask AddRequestedAsync(DbSession unit, long accountId, string recipient, string template, Dictionary<string, string?> fields) =>
        mail.AddUncountedAsync(unit, accountId, recipient, template, fields);
}
