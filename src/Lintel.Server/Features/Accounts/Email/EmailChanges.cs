using System.Data.Common;
using System.Globalization;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

internal enum EmailChangeStatus
{
    /// <summary>The link was used, has expired, or the account is not what it was.</summary>
    LinkInvalid,

    /// <summary>The other address has not confirmed yet.</summary>
    Waiting,

    Changed,

    /// <summary>Somebody has an account with the new address by now.</summary>
    Taken,

    Cancelled,
}

/// <summary>
/// A change of address takes place once both have confirmed it: the new one, since it must be the owner's, and the old one, since whoever got hold of a session must not get hold of the
/// account. An old address that was never confirmed is told, and cannot hold its owner back: it may be misspelt.
/// </summary>
internal sealed class EmailChanges(
    Database database, AccountMail mail, EmailLinks links, AccountAudit audit, EmailOptions options, ServerOptions server, EmailLog log, TimeOrderedIds ids, TimeProvider time)
{
    /// <summary>Begins a change, in place of one that is not confirmed yet, as part of <paramref name="unit"/>.</summary>
    public async ValueTask BeginAsync(DbSession unit, EmailRequest request)
    {
        // Held, so that nobody confirms the old address between this look at it and the change that follows from it.
        var account = await unit.QueryFirstAsync(
            "SELECT id, email, email_normalized, name, password_version, email_verified_at FROM account WHERE id = $1 AND is_active" + unit.Lock("FOR SHARE"),
            static row => new LinkedAccount(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetNullableString(3), row.GetInt64(4), !row.IsDBNull(5)),
            request.AccountId);
        var isTaken = await EmailIsTakenAsync(unit, EmailAddress.Normalize(request.Email));
        if (account is null || account.Normalized == EmailAddress.Normalize(request.Email))
        {
            return;
        }

        // An address that is taken looks the same from the old one: the change only never ends.
        var id = await AddAsync(unit, account, request.Email);
        var lifetime = options.ConfirmationLifetime;
        var hours = lifetime.TotalHours.ToString(CultureInfo.InvariantCulture);
        await mail.AddRequestedAsync(unit, account.Id, account.Email, EmailTemplates.ChangeOld, new()
        {
            ["app"] = server.AppName,
            ["new_email"] = request.Email,
            ["confirm"] = account.IsVerified ? await links.MakeAsync(unit, LinkPurpose.ConfirmOld, account, lifetime, changeId: id) : null,
            ["cancel"] = await links.MakeAsync(unit, LinkPurpose.CancelChange, account, lifetime, survivesPassword: true, changeId: id),
            ["hours"] = hours,
            ["address"] = request.Client.Address,
        });
        if (!isTaken)
        {
            await mail.AddRequestedAsync(unit, account.Id, request.Email, EmailTemplates.ChangeNew, new()
            {
                ["app"] = server.AppName,
                ["link"] = await links.MakeAsync(unit, LinkPurpose.ConfirmNew, account, lifetime, changeId: id),
                ["hours"] = hours,
            });
        }

        await audit.AddAsync(unit, account.Id, AccountEvents.EmailChangeRequested, new Actor(account.Id, Client: request.Client), new() { ["new_email"] = request.Email });
    }

    /// <summary>Confirms a change from one side.</summary>
    /// <param name="purpose">From which.</param>
    public async Task<EmailChangeStatus> ConfirmAsync(LinkPurpose purpose, string token, Actor by, CancellationToken cancellationToken)
    {
        try
        {
            return await database.WriteAsync(unit => ConfirmAsync(unit, purpose, token, by), cancellationToken);
        }
        catch (DbException failure) when (failure.IsUniqueViolation())
        {
            // Somebody registered with it in this very moment. The link is as good as before, and of no use.
            return EmailChangeStatus.Taken;
        }
    }

    /// <summary>Gives a change up that the old address does not want.</summary>
    public Task<EmailChangeStatus> CancelAsync(string token, Actor by, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async unit =>
            {
                if (await links.UseAsync(unit, LinkPurpose.CancelChange, token) is not { ChangeId: { } id } link
                    || await unit.ExecuteAsync("DELETE FROM email_change WHERE id = $1", id) == 0)
                {
                    return EmailChangeStatus.LinkInvalid;
                }

                await audit.AddAsync(unit, link.AccountId, AccountEvents.EmailChangeCancelled, by);
                return EmailChangeStatus.Cancelled;
            },
            cancellationToken);

    private static async ValueTask<bool> EmailIsTakenAsync(DbSession unit, string normalized) =>
        await unit.QueryFirstAsync("SELECT 1 FROM account WHERE email_normalized = $1", static row => row.GetInt32(0), normalized) == 1;

    private async ValueTask<Guid> AddAsync(DbSession unit, LinkedAccount account, string newEmail)
    {
        var id = ids.Next();
        await unit.ExecuteAsync("DELETE FROM email_change WHERE account_id = $1", account.Id);
        await unit.ExecuteAsync(
            """
            INSERT INTO email_change (id, account_id, old_normalized, new_email, new_normalized, old_confirmed, new_confirmed, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7)
            """,
            id,
            account.Id,
            account.Normalized,
            newEmail,
            EmailAddress.Normalize(newEmail),
            !account.IsVerified,
            (time.GetUtcNow() + options.ConfirmationLifetime).ToMicroseconds());
        return id;
    }

    private async ValueTask<EmailChangeStatus> ConfirmAsync(DbSession unit, LinkPurpose purpose, string token, Actor by)
    {
        if (await links.UseAsync(unit, purpose, token) is not { ChangeId: { } id } link)
        {
            return EmailChangeStatus.LinkInvalid;
        }

        var column = purpose == LinkPurpose.ConfirmOld ? "old_confirmed" : "new_confirmed";
        var change = await unit.QueryFirstAsync(
            $"UPDATE email_change SET {column} = TRUE WHERE id = $1 AND old_normalized = $2 AND expires_at > $3 RETURNING new_email, new_normalized, old_confirmed, new_confirmed",
            static row => new Change(row.GetString(0), row.GetString(1), row.GetBoolean(2) && row.GetBoolean(3)),
            id,
            link.Normalized,
            time.GetMicroseconds());
        return change switch
        {
            null => EmailChangeStatus.LinkInvalid,
            { IsConfirmed: false } => EmailChangeStatus.Waiting,
            _ => await ApplyAsync(unit, link, id, change, by),
        };
    }

    private async ValueTask<EmailChangeStatus> ApplyAsync(DbSession unit, UsedLink link, Guid id, Change change, Actor by)
    {
        await unit.ExecuteAsync("DELETE FROM email_change WHERE id = $1", id);
        if (await EmailIsTakenAsync(unit, change.Normalized))
        {
            return EmailChangeStatus.Taken;
        }

        var isChanged = await unit.ExecuteAsync(
            "UPDATE account SET email = $3, email_normalized = $4, email_verified_at = $5 WHERE id = $1 AND email_normalized = $2",
            link.AccountId,
            link.Normalized,
            change.Email,
            change.Normalized,
            time.GetMicroseconds()) == 1;
        if (!isChanged)
        {
            return EmailChangeStatus.LinkInvalid;
        }

        await audit.AddAsync(unit, link.AccountId, AccountEvents.EmailChanged, by, new() { ["old_email"] = link.Email, ["new_email"] = change.Email });
        await mail.AddAsync(unit, link.AccountId, link.Email, EmailTemplates.Changed, new() { ["app"] = server.AppName, ["new_email"] = change.Email });
        unit.AfterCommit(() => log.Changed(link.AccountId));
        return EmailChangeStatus.Changed;
    }

    private sealed record Change(string Email, string Normalized, bool IsConfirmed);
}
