using System.Globalization;
using System.Text.Json.Nodes;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Mail;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Tells of changes of second factors: in the account's activity, and by mail to its owner. Both go with the transaction of what they tell of.</summary>
internal sealed class FactorNews(AccountAudit audit, AccountMail mail, TimeProvider time)
{
    public const string AddedMail = "factor_added";
    public const string RemovedMail = "factor_removed";
    public const string AllRemovedMail = "factors_removed";
    public const string RecoveryCodeMail = "recovery_code_used";

    public const string Totp = "authenticator app";
    public const string Passkey = "passkey";

    public ValueTask AddedAsync(DbSession unit, long accountId, Actor by, string factor, string? name = null) =>
        TellAsync(unit, accountId, by, AccountEvents.FactorAdded, AddedMail, factor, name);

    public ValueTask RemovedAsync(DbSession unit, long accountId, Actor by, string factor, string? name = null) =>
        TellAsync(unit, accountId, by, AccountEvents.FactorRemoved, RemovedMail, factor, name);

    /// <summary>All were removed at once, by somebody who need not have had one.</summary>
    /// <param name="had">What there was.</param>
    /// <param name="why">Goes on from "were removed".</param>
    public async ValueTask AllRemovedAsync(DbSession unit, long accountId, Actor by, FactorState had, string why, JsonObject details)
    {
        details["totp"] = had.HasTotp;
        details["passkeys"] = had.Passkeys;
        await audit.AddAsync(unit, accountId, AccountEvents.FactorsRemoved, by, details);

        // Where an administrator sits is nobody's business.
        await MailAsync(unit, accountId, Actor.System, AllRemovedMail, new() { ["why"] = why });
    }

    public async ValueTask RecoveryCodeUsedAsync(DbSession unit, long accountId, Actor by, long left)
    {
        await audit.AddAsync(unit, accountId, AccountEvents.RecoveryCodeUsed, by, new() { ["left"] = left });
        await MailAsync(unit, accountId, by, RecoveryCodeMail, new() { ["left"] = left.ToString(CultureInfo.InvariantCulture) });
    }

    /// <summary>What is of no news to the owner, who does it.</summary>
    public ValueTask NoteAsync(DbSession unit, long accountId, Actor by, string kind, JsonObject? details = null) => audit.AddAsync(unit, accountId, kind, by, details);

    private async ValueTask TellAsync(DbSession unit, long accountId, Actor by, string kind, string template, string factor, string? name)
    {
        var details = new JsonObject { ["factor"] = factor };
        if (name is not null)
        {
            details["name"] = name;
        }

        await audit.AddAsync(unit, accountId, kind, by, details);
        await MailAsync(unit, accountId, by, template, new() { ["factor"] = factor, ["name"] = name });
    }

    private async ValueTask MailAsync(DbSession unit, long accountId, Actor by, string template, Dictionary<string, string?> fields)
    {
        var email = await unit.QueryFirstAsync("SELECT email FROM account WHERE id = $1", static row => row.GetString(0), accountId);
        if (email is not null)
        {
            fields["at"] = MailTime.ToText(time.GetUtcNow());
            fields["address"] = by.Client.Address;
            fields["device"] = by.Client.UserAgent;
            await mail.AddAsync(unit, accountId, email, template, fields);
        }
    }
}
