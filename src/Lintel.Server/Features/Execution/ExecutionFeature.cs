using Lintel.Features.Jobs;
using Lintel.Platform.Configuration;
using Lintel.Platform.Health;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Execution;

internal static class ExecutionFeature
{
    public static void AddExecution(this IHostApplicationBuilder builder)
    {
        var options = builder.AddSettings(ExecutionOptions.Read);
        builder.AddJson(ExecutionJson.Default);
        builder.DescribeTag(
            "Execution",
            "Untrusted programs in a sandbox: run and waited for, submitted as jobs of kind `execute`, or live on a terminal. What they print is a durable stream.");
        builder.AddJobKind<ExecuteJob>(ExecuteJob.Kind with { MaxConcurrent = options.Concurrency, MaxConcurrentPerOwner = options.ConcurrencyPerOwner });
        builder.AddJobKind<ExecuteBatchJob>(
            ExecuteBatchJob.Kind with { MaxConcurrent = options.BatchConcurrency, MaxConcurrentPerOwner = Math.Max(1, options.ConcurrencyPerOwner / 2) });
        builder.Services.AddSingleton<IPersonalData, ExecutionPersonalData>();
        builder.Services.AddSingleton<LanguageCatalog>();
        builder.Services.AddSingleton<ExecutionSandbox>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<ExecutionSandbox>());
        builder.Services.AddSingleton<IReadinessCheck>(static services => services.GetRequiredService<ExecutionSandbox>());
        builder.Services.AddSingleton<LiveRuns>();
        builder.Services.AddSingleton<JobTokens>();
        builder.Services.AddSingleton<Executions>();
        builder.Services.AddSingleton<RunResults>();
        builder.Services.AddSingleton<RunFollower>();
        builder.Services.AddSingleton<ExecuteCommands>();
        builder.Services.AddSingleton<ExecuteSession>();
        builder.Services.AddSingleton<ExecuteSocket>();
    }
}
