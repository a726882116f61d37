using System.Globalization;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>Does what was asked for: finds the account, makes the link or the code, and queues the message. For an address of nobody it mails nothing.</summary>
internal sealed class EmailComposer(
    AccountMail mail, EmailLinks links, EmailVerificationMail verification, EmailCodes codes, EmailChanges changes, AccountAudit audit, EmailOptions options, ServerOptions server)
{
    /// <summary>Does all of it as part of <paramref name="unit"/>.</summary>
    public ValueTask ComposeAsync(DbSession unit, EmailRequest request) => request.Purpose switch
    {
        EmailPurposes.Verify => VerifyAsync(unit, request),
        EmailPurposes.ResetPassword => ResetAsync(unit, request),
        EmailPurposes.SignInCode => SendCodeAsync(unit, request),
        EmailPurposes.Change => changes.BeginAsync(unit, request),
        _ => throw new InvalidOperationException($"Nothing is known of mail for {request.Purpose}."),
    };

    private static ValueTask<LinkedAccount?> FindAsync(DbSession unit, string email) =>
        unit.QueryFirstAsync(
            "SELECT id, email, email_normalized, name, password_version, email_verified_at FROM account WHERE email_normalized = $1 AND is_active",
            static row => new LinkedAccount(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetNullableString(3), row.GetInt64(4), !row.IsDBNull(5)),
            EmailAddress.Normalize(email));

    private async ValueTask VerifyAsync(DbSession unit, EmailRequest request)
    {
        if (await FindAsync(unit, request.Email) is { IsVerified: false } account)
        {
            await verification.SendAsync(unit, account);
        }
    }

    private async ValueTask ResetAsync(DbSession unit, EmailRequest request)
    {
        if (await FindAsync(unit, request.Email) is not { } account)
        {
            return;
        }

        var link = await links.MakeAsync(unit, LinkPurpose.ResetPassword, account, options.ResetLifetime);
        await mail.AddRequestedAsync(unit, account.Id, account.Email, EmailTemplates.ResetPassword, new()
        {
            ["app"] = server.AppName,
            ["link"] = link,
            ["minutes"] = options.ResetLifetime.TotalMinutes.ToString(CultureInfo.InvariantCulture),
            ["address"] = request.Client.Address,
        });
        await audit.AddAsync(unit, account.Id, AccountEvents.PasswordResetRequested, new Actor(null, Client: request.Client));
    }

    private async ValueTask SendCodeAsync(DbSession unit, EmailRequest request)
    {
        var account = await FindAsync(unit, request.Email);
        var code = await codes.MakeAsync(unit, EmailAddress.Normalize(request.Email), account);
        if (account is null)
        {
            return;
        }

        await mail.AddRequestedAsync(unit, account.Id, account.Email, EmailTemplates.SignInCode, new()
        {
            ["app"] = server.AppName,
            ["code"] = $"{code[..4]} {code[4..]}",
            ["minutes"] = EmailOptions.CodeLifetime.TotalMinutes.ToString(CultureInfo.InvariantCulture),
            ["address"] = request.Client.Address,
        });
        await audit.AddAsync(unit, account.Id, AccountEvents.EmailCodeRequested, new Actor(null, Client: request.Client));
    }
}

/// <summary>The messages of this folder; their files are in <c>Features/Accounts/Mail</c>.</summary>
internal static class EmailTemplates
{
    public const string Verify = "email_verify";
    public const string SignInCode = "email_code";
    public const string ChangeOld = "email_change_old";
    public const string ChangeNew = "email_change_new";
    public const string Changed = "email_changed";
    public const string ResetPassword = "password_reset";

    public static readonly string[] All = [Verify, SignInCode, ChangeOld, ChangeNew, Changed, ResetPassword];
}
