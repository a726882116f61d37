using Lintel.Features.Mail;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.External;

internal static class ExternalSetup
{
    /// <summary>Sign-in with other providers, of which the settings name any number.</summary>
    public static void AddExternal(this IHostApplicationBuilder builder)
    {
        var options = builder.AddSettings(ExternalOptions.Read);
        builder.AddJson(ExternalJson.Default);
        builder.AddMailTemplate(ExternalIdentityTable.LinkedMail);
        builder.AddMailTemplate(ExternalIdentityTable.UnlinkedMail);
        foreach (var provider in options.Providers)
        {
            builder.AddBreaker(provider.BreakerName, new BreakerOptions());
        }

        var services = builder.Services;
        services.AddSingleton<ExternalCodes>();
        services.AddSingleton<ExternalHandlers>();
        services.AddSingleton<ExternalIdentityTable>();
        services.AddSingleton<ExternalSignIn>();
        services.AddSingleton<IdentityReader>();
        services.AddSingleton<ProviderConnection>();
        services.AddSingleton<ProviderDirectories>();
        services.AddHostedService<ExternalRetentionWorker>();
    }
}
