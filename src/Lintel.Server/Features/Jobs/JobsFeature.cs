using Lintel.Features.Jobs.Running;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Jobs;

public static class JobsFeature
{
    internal static void AddJobs(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(JobOptions.Read);
        builder.AddJson(JobsJson.Default);
        builder.DescribeTag(
            "Jobs",
            "Work of any kind, submitted and then watched. What happens is a durable stream of numbered events; a broken connection or a restarted server costs nobody one.");
        builder.Services.AddSingleton<JobKinds>();
        builder.Services.AddSingleton<JobSignals>();
        builder.Services.AddSingleton<JobInputs>();
        builder.Services.AddSingleton(static services => new JobFinish(services.GetRequiredService<StreamLog>(), services.GetServices<IJobEndListener>));
        builder.Services.AddSingleton<IPersonalData, JobPersonalData>();
        builder.Services.AddSingleton<JobQueue>();
        builder.Services.AddSingleton<JobLeases>();
        builder.Services.AddSingleton<JobRecovery>();
        builder.Services.AddSingleton<JobExecution>();
        builder.Services.AddSingleton<JobEnds>();
        builder.Services.AddSingleton<RunningJobs>();
        builder.Services.AddSingleton<JobClaims>();
        builder.Services.AddSingleton<JobHeartbeat>();
        builder.Services.AddSingleton<JobViewers>();
        builder.Services.AddSingleton<JobWatch>();
        builder.Services.AddSingleton<JobSocket>();
        builder.Services.AddHostedService<JobRunner>();
        builder.Services.AddSingleton<JobRetentionWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<JobRetentionWorker>());
    }

    /// <summary>Adds a kind of job. <typeparamref name="THandler"/> is made anew for each job, with the services that its constructor asks for.</summary>
    public static void AddJobKind<THandler>(this IHostApplicationBuilder builder, JobKind kind)
        where THandler : class, IJobHandler
    {
        var factory = ActivatorUtilities.CreateFactory<THandler>([]);
        builder.Services.AddSingleton(kind with { CreateHandler = services => factory(services, []) });
    }
}
