using Lintel.Features.Mail;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

internal static class EmailSetup
{
    /// <summary>What an account does by mail: confirming and changing its address, links, codes.</summary>
    public static void AddEmail(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(EmailOptions.Read);
        builder.AddSettings(SecretKey.Read);
        builder.AddJson(EmailJson.Default);
        Array.ForEach(EmailTemplates.All, builder.AddMailTemplate);

        builder.AddExpiry("email_link", "hash");
        builder.AddExpiry("email_code", "address");
        builder.AddExpiry("email_change", "id");

        var services = builder.Services;
        services.AddSingleton<EmailBudget>();
        services.AddSingleton<EmailChanges>();
        services.AddSingleton<EmailCodes>();
        services.AddSingleton<EmailComposer>();
        services.AddSingleton<EmailLinks>();
        services.AddSingleton<EmailLog>();
        services.AddSingleton<EmailRequests>();
        services.AddSingleton<EmailSecrets>();
        services.AddSingleton<EmailVerificationMail>();
        services.AddSingleton<LinkPages>();
        services.AddSingleton<MailboxClaims>();
        services.AddHostedService<EmailRequestWorker>();
        services.AddHostedService<EmailRetentionWorker>();
    }
}
