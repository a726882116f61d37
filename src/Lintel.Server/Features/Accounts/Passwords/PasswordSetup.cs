using Lintel.Features.Mail;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Passwords;

internal static class PasswordSetup
{
    /// <summary>New passwords, and what they must be.</summary>
    public static void AddPasswords(this IHostApplicationBuilder builder)
    {
        if (builder.AddSettings(PasswordOptions.Read).BreachUrl is not null)
        {
            builder.AddBreaker(BreachedPasswords.BreakerName, new() { IsFailure = static failure => failure is HttpRequestException or IOException or TimeoutException });
        }

        builder.AddJson(PasswordsJson.Default);
        builder.AddMailTemplate(PasswordUpdate.Template);
        var services = builder.Services;
        services.AddSingleton<BreachedPasswords>();
        services.AddSingleton<CommonPasswords>();
        services.AddSingleton<PasswordChanges>();
        services.AddSingleton<PasswordHashing>();
        services.AddSingleton<PasswordRules>();
        services.AddSingleton<PasswordUpdate>();
        services.AddSingleton<PresentPassword>();
    }
}
