using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Audit;

internal static class AuditSetup
{
    /// <summary>What happened to accounts: written down, read, and forgotten in the end.</summary>
    public static void AddAudit(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(AuditOptions.Read);
        builder.AddJson(ActivityJson.Default);
        builder.Services.AddSingleton<AccountAudit>();
        builder.Services.AddSingleton<AuditErasure>();
        builder.Services.AddSingleton<AuditReader>();
        builder.Services.AddSingleton<ActivityWatch>();
        builder.Services.AddSingleton<AuditRetentionWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<AuditRetentionWorker>());
    }
}
