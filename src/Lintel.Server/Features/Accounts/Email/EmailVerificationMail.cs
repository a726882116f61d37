using System.Globalization;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>The message with the link that confirms an account's address.</summary>
internal sealed class EmailVerificationMail(AccountMail mail, EmailLinks links, EmailOptions options, ServerOptions server)
{
    /// <summary>Welcomes a new account, as part of the unit that makes it.</summary>
    public async ValueTask WelcomeAsync(DbSession unit, Account account)
    {
        if (options.Verification != EmailVerification.Off && account.EmailVerifiedAt is null)
        {
            await SendAsync(unit, new(account.Id, account.Email, EmailAddress.Normalize(account.Email), account.Name, 0, IsVerified: false));
        }
    }

    public async ValueTask SendAsync(DbSession unit, LinkedAccount account)
    {
        // A new password changes nothing about whose address it is.
        var link = await links.MakeAsync(unit, LinkPurpose.Verify, account, options.ConfirmationLifetime, survivesPassword: true);
        await mail.AddRequestedAsync(unit, account.Id, account.Email, EmailTemplates.Verify, new()
        {
            ["app"] = server.AppName,
            ["link"] = link,
            ["hours"] = options.ConfirmationLifetime.TotalHours.ToString(CultureInfo.InvariantCulture),
        });
    }
}
