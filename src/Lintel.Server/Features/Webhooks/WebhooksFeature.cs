using System.Net;
using Lintel.Features.Jobs;
using Lintel.Features.Notifications;
using Lintel.Features.Webhooks.Sending;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Webhooks;

internal static class WebhooksFeature
{
    public static void AddWebhooks(this IHostApplicationBuilder builder)
    {
        var options = builder.AddSettings(WebhookOptions.Read);
        builder.AddSettings(SecretKey.Read);
        builder.AddJson(WebhooksJson.Default);
        builder.DescribeTag("Webhooks", "Your own servers, told of your jobs and tasks by signed requests: in order, again and again until they are taken, each with its history.");
        builder.AddJobKind<WebhookJob>(WebhookJob.Kind with { MaxConcurrent = options.Concurrency });
        builder.AddNotificationKind(PendingDeliveries.DisabledNotice, typeof(WebhookDisabled));
        builder.Services.AddSingleton<IPersonalData, WebhookPersonalData>();
        builder.Services.AddSingleton<TargetAddresses>();
        builder.Services.AddSingleton<WebhookUrl>();
        builder.Services.AddSingleton<WebhookSecrets>();
        builder.Services.AddSingleton<WebhookQueue>();
        builder.Services.AddSingleton<WebhookEvents>();
        builder.Services.AddSingleton<IJobEndListener, WebhookJobEvents>();
        builder.Services.AddSingleton<WebhookTable>();
        builder.Services.AddSingleton<ResolveHost>(static (host, cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken));
        builder.Services.AddSingleton<WebhookConnections>();
        builder.Services.AddSingleton<HostBreakers>();
        builder.Services.AddSingleton<WebhookMetrics>();
        builder.Services.AddSingleton<WebhookSender>();
        builder.Services.AddSingleton<PendingDeliveries>();
        builder.Services.AddSingleton<WebhookRecoveryWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<WebhookRecoveryWorker>());
        builder.Services.AddSingleton<WebhookRetentionWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<WebhookRetentionWorker>());
    }
}
