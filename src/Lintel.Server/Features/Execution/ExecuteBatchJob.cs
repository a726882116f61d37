using System.Text;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Platform.Errors;
using Lintel.Platform.Json;
using Lintel.Platform.Security;
using Lintel.Sandbox;
using Lintel.Sandbox.Languages;

namespace Lintel.Features.Execution;

/// <summary>The job kind <c>execute-batch</c>: makes a program ready once and runs it for each input, one after the other.</summary>
internal sealed class ExecuteBatchJob(ExecutionSandbox sandbox, ExecutionOptions options, TimeProvider time) : IJobHandler
{
    // A character may take six bytes as JSON, and an event has at most 256 KB.
    private const int MaxCharacters = 32 * 1024;

    /// <summary>As with a single program: it is never begun again.</summary>
    public static readonly JobKind Kind = new("execute-batch", Scopes.Execute) { MaxAttempts = 1, Events = ExecutionMessages.EmittedByBatch };

    public JobInputCheck Check(ReadOnlySpan<byte> input)
    {
        var errors = default(FieldErrors);
        var batch = ExecutionBatch.Read(input.ToArray(), ref errors);
        return sandbox.Check(batch?.Program, errors, batch?.Runs.Count ?? 0);
    }

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        var errors = default(FieldErrors);
        var batch = ExecutionBatch.Read(job.Input, ref errors) ?? throw new InvalidOperationException("The input was not checked when the job was accepted.");
        try
        {
            return JobOutcome.Complete(await RunAsync(job, batch, cancellationToken));
        }
        catch (Exception failure) when (failure is SandboxException or ServiceUnavailableException)
        {
            return JobOutcome.Fail(failure.Message);
        }
    }

    private async Task<byte[]> RunAsync(JobContext job, ExecutionBatch batch, CancellationToken cancellationToken)
    {
        var runner = await sandbox.GetAsync(cancellationToken);
        if (batch.Program.Language.Compile is not null)
        {
            await ExecuteJob.StatusAsync(job, "compiling");
        }

        using var program = await runner.PrepareAsync(batch.Program.Language.Id, batch.Program.Code, batch.Program.Files, cancellationToken);
        await RunEvents.EmitAsync(job, RunEvents.Compile, program.Diagnostics);
        if (!program.IsReady)
        {
            return Completion(job, "compile_error", 0);
        }

        await ExecuteJob.StatusAsync(job, "running");
        var started = time.GetTimestamp();
        for (var index = 0; index < batch.Runs.Count; index++)
        {
            // Few batches run at once, and a hundred long runs would hold a place for hours.
            if (time.GetElapsedTime(started) >= TimeSpan.FromSeconds(options.MaxWallSeconds))
            {
                return Completion(job, RunEvents.NameOf(SandboxVerdict.TimeLimit), index);
            }

            var result = await RunAsync(program, batch.Runs[index], index, cancellationToken);
            job.ReportProgress(index + 1, batch.Runs.Count, 0);
            await job.EmitAsync(ExecutionMessages.Result, JsonSerializer.SerializeToUtf8Bytes(result, ExecutionJson.Default.BatchRun));
        }

        return Completion(job, "ok", batch.Runs.Count);
    }

    private async Task<BatchRun> RunAsync(PreparedProgram program, ExecutionRequest request, int index, CancellationToken cancellationToken)
    {
        await using var run = await program.StartAsync(
            request.LimitsWithin(program.DefaultLimits, options), request.Arguments, Encoding.UTF8.GetBytes(request.Stdin), keepInputOpen: false, terminal: null, cancellationToken);
        StringBuilder stdout = new(), stderr = new();
        var isTruncated = false;
        await foreach (var output in run.ReadTextAsync(cancellationToken))
        {
            var text = output.Text.AsSpan(0, Math.Min(output.Text.Length, MaxCharacters - stdout.Length - stderr.Length));
            isTruncated |= text.Length < output.Text.Length;
            (output.Stream == OutputStream.Stdout ? stdout : stderr).Append(text);
        }

        var end = await run.Completion;
        cancellationToken.ThrowIfCancellationRequested();
        return new BatchRun(
            index, stdout.ToString(), stderr.ToString(), end.ExitCode, RunEvents.NameOf(end.Verdict), Math.Round(end.Elapsed.TotalSeconds, 6), end.PeakMemoryKb,
            RunEvents.NameOf(end.Signal), end.Reason, isTruncated);
    }

    private static byte[] Completion(JobContext job, string verdict, int total) =>
        JsonSerializer.SerializeToUtf8Bytes(new BatchRunsCompleted(job.JobId, verdict, total), ExecutionJson.Default.BatchRunsCompleted);
}
