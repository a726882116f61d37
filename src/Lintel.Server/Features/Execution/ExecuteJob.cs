using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Platform.Errors;
using Lintel.Platform.Json;
using Lintel.Platform.Security;
using Lintel.Sandbox;

namespace Lintel.Features.Execution;

/// <summary>The job kind <c>execute</c>: runs a program in the sandbox, once. What it prints are the job's events.</summary>
internal sealed class ExecuteJob(ExecutionSandbox sandbox, LiveRuns runs, ExecutionOptions options) : IJobHandler
{
    /// <summary>A program may have done something before its server died, so it is never begun again.</summary>
    public static readonly JobKind Kind = new("execute", Scopes.Execute) { MaxAttempts = 1, Events = ExecutionMessages.Emitted };

    public JobInputCheck Check(ReadOnlySpan<byte> input)
    {
        var errors = default(FieldErrors);
        return sandbox.Check(ExecutionRequest.Read(input.ToArray(), null, ref errors), errors, 0);
    }

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        var errors = default(FieldErrors);
        var execution = ExecutionRequest.Read(job.Input, null, ref errors) ?? throw new InvalidOperationException("The input was not checked when the job was accepted.");
        var live = runs.Find(job.JobId);
        try
        {
            return JobOutcome.Complete(await RunAsync(job, execution, live, cancellationToken));
        }
        catch (Exception failure) when (failure is SandboxException or ServiceUnavailableException)
        {
            return JobOutcome.Fail(failure.Message);
        }
    }

    private async Task<byte[]> RunAsync(JobContext job, ExecutionRequest execution, LiveRun? live, CancellationToken cancellationToken)
    {
        var runner = await sandbox.GetAsync(cancellationToken);
        if (execution.Language.Compile is not null)
        {
            await StatusAsync(job, "compiling");
        }

        using var program = await runner.PrepareAsync(execution.Language.Id, execution.Code, execution.Files, cancellationToken);
        await RunEvents.EmitAsync(job, RunEvents.Compile, program.Diagnostics);
        if (program.Refusal is { } refusal)
        {
            return RunEvents.Completion(job.JobId, refusal);
        }

        // A crash from here on: the program is ended with the server, and the job is failed by whoever finds it.
        await StatusAsync(job, "running");
        await using var run = await program.StartAsync(
            execution.LimitsWithin(program.DefaultLimits, options),
            execution.Arguments,
            System.Text.Encoding.UTF8.GetBytes(execution.Stdin),
            keepInputOpen: live is not null,
            live?.Resized ?? execution.Terminal,
            cancellationToken);
        var result = await FollowAsync(job, run, live, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return RunEvents.Completion(job.JobId, result);
    }

    private static async Task<SandboxResult> FollowAsync(JobContext job, SandboxRun run, LiveRun? live, CancellationToken cancellationToken)
    {
        using var killed = cancellationToken.UnsafeRegister(static state => ((SandboxRun)state!).Kill(), run);
        using var ended = new CancellationTokenSource();
        var typing = live?.TypeAsync(run, ended.Token) ?? Task.CompletedTask;
        try
        {
            // Reading no faster than the log takes it holds the program up: that is what bounds the server's memory.
            await foreach (var text in run.ReadTextAsync(CancellationToken.None))
            {
                await RunEvents.EmitAsync(job, text.Stream == OutputStream.Stdout ? RunEvents.Stdout : RunEvents.Stderr, text.Text);
            }

            return await run.Completion;
        }
        finally
        {
            await ended.CancelAsync();
            await typing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public static ValueTask StatusAsync(JobContext job, string status) =>
        job.EmitAsync(ExecutionMessages.Status, JsonSerializer.SerializeToUtf8Bytes(new RunStatus(status, job.JobId), ExecutionJson.Default.RunStatus));
}
