using Lintel.Features.Mail;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts;

/// <summary>Mail about the account itself. It is queued in the transaction of what it tells of.</summary>
internal sealed class AccountMail(MailQueue mail)
{
    /// <param name="template">The name of a registered template; its files are in <c>Features/Accounts/Mail</c>.</param>
    public ValueTask AddAsync(DbSession unit, long accountId, string recipient, string template, Dictionary<string, string?> fields) =>
        mail.AddAsync(unit, accountId, recipient, template, fields);
}
