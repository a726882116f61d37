using Lintel.Features.Jobs;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Lintel.Platform.Health;
using Lintel.Platform.Http;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Mail;

internal static class MailFeature
{
    public static void AddMail(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(MailOptions.Read);
        builder.AddSettings(SecretKey.Read);
        builder.AddJson(MailJson.Default);
        builder.AddBreaker(MailSender.BreakerName, new() { IsFailure = static failure => !SmtpReplies.IsRefusal(failure) });
        builder.AddJobKind<MailJob>(MailJob.Kind);
        builder.Services.AddSingleton<IPersonalData, MailPersonalData>();
        builder.Services.AddSingleton<MailTemplates>();
        builder.Services.AddSingleton<MailQueue>();
        builder.Services.AddSingleton<MailSecrets>();
        builder.Services.AddSingleton<MailSender>();
        builder.Services.AddHostedService<MailRetentionWorker>();
        builder.Services.AddSingleton<IReadinessCheck, MailCheck>();
    }

    /// <summary>Adds a kind of message, whose files are in the feature's folder <c>Mail</c>.</summary>
    public static void AddMailTemplate(this IHostApplicationBuilder builder, string name) => builder.Services.AddSingleton(MailTemplate.Load(name));

    /// <summary>Mail that cannot be sent waits; the node is ready for everything else.</summary>
    private sealed class MailCheck(MailOptions options, MailSender sender) : IReadinessCheck
    {
        public string Name => "mail";

        public ValueTask<Readiness> CheckAsync(CancellationToken cancellationToken) => new(options.Delivery switch
        {
            MailDelivery.Off => Readiness.ReadyWith("Mail is off."),
            _ when !sender.Works => Readiness.Degraded("Mail cannot be sent now and waits."),
            MailDelivery.Pickup => Readiness.ReadyWith("Mail is written to the pickup folder."),
            _ => Readiness.Ready,
        });
    }
}
