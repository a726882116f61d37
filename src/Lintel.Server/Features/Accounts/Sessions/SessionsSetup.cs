using Lintel.Features.Mail;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Sessions;

internal static class SessionsSetup
{
    // A session that has run out is kept a while for whoever looks into what happened.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>Sign-ins: opened, refreshed, listed and ended.</summary>
    public static void AddSessions(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(SessionOptions.Read);
        builder.AddJson(SessionsJson.Default);
        builder.AddMailTemplate(SignInNotice.Template);
        builder.AddExpiry("session", "id", kept: Kept);
        builder.AddExpiry("account_device", "account_id, device");

        var services = builder.Services;
        services.AddSingleton<OwnSessions>();
        services.AddSingleton<SessionEnd>();
        services.AddSingleton<SessionTable>();
        services.AddSingleton<SignInNotice>();
    }
}
