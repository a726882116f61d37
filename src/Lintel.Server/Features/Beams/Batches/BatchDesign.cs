using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Lintel.Features.Jobs;
using Lintel.Platform.Security;

namespace Lintel.Features.Beams.Batches;

/// <summary>
/// The job kind <c>batch-design</c>: designs many beams, one after the other. Its events are a function of its input: <c>start</c>, then for each beam its result and
/// the progress, so an attempt that follows a crash knows from their number where to go on.
/// </summary>
internal sealed class BatchDesign(TimeProvider time) : IJobHandler
{
    // Longer than any progress.
    private const int MaxText = 160;

    public static readonly JobKind Kind = new("batch-design", Scopes.Design) { Events = BatchEvents.Emitted };

    public JobInputCheck Check(ReadOnlySpan<byte> input)
    {
        var scan = new BeamScan();
        return scan.TryFinish(input, out var problem) ? new JobInputCheck(scan.Count) : new JobInputCheck(0, problem);
    }

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        var batch = BeamBatch.Reopen(job.Input, (int)job.Total);
        if (job.EventsSoFar == 0)
        {
            await job.EmitAsync("start", Start(job, batch.Count));
        }

        var failed = Repeat(batch, Math.Max(0, job.EventsSoFar - 1), out var progressIsDue);
        if (progressIsDue)
        {
            await ProgressAsync(job, batch, failed);
        }

        while (batch.TryWriteNext(job.Event, out var outcome))
        {
            cancellationToken.ThrowIfCancellationRequested();
            failed += outcome == BeamOutcome.Refused ? 1 : 0;
            await job.EmitAsync(outcome == BeamOutcome.Refused ? "error" : "design_result");
            await ProgressAsync(job, batch, failed);
        }

        return JobOutcome.Complete(Completion(job, batch.Count, failed));
    }

    /// <summary>Goes past the beams whose events are in the log already, and counts those that were refused.</summary>
    /// <param name="progressIsDue">The log ends with a beam's result, and its progress is still to be written.</param>
    private static int Repeat(BeamBatch batch, long events, out bool progressIsDue)
    {
        var scratch = new ArrayBufferWriter<byte>(1024);
        var failed = 0;
        var beams = (events + 1) / 2;
        for (var i = 0; i < beams && batch.TryWriteNext(scratch, out var outcome); i++)
        {
            failed += outcome == BeamOutcome.Refused ? 1 : 0;
            scratch.ResetWrittenCount();
        }

        progressIsDue = events % 2 == 1;
        return failed;
    }

    private static ValueTask ProgressAsync(JobContext job, BeamBatch batch, int failed)
    {
        var progress = new JobProgress(batch.Next, batch.Count, failed);
        job.ReportProgress(progress.Completed, progress.Total, progress.Failed);
        Utf8.TryWrite(
            job.Event.GetSpan(MaxText),
            CultureInfo.InvariantCulture,
            $"{{\"completed\":{progress.Completed},\"total\":{progress.Total},\"failed\":{progress.Failed},\"percent\":{progress.Percent:0.0}}}",
            out var written);
        job.Event.Advance(written);
        return job.EmitAsync("progress");
    }

    private byte[] Start(JobContext job, int total) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"job_id\":\"{job.JobId}\",\"total\":{total},\"timestamp\":\"{time.GetUtcNow().UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}\"}}"));

    private byte[] Completion(JobContext job, int total, int failed)
    {
        var seconds = Math.Max(0, (time.GetUtcNow() - job.StartedAt).TotalSeconds);
        return Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"job_id\":\"{job.JobId}\",\"total\":{total},\"completed\":{total},\"failed\":{failed},\"duration_seconds\":{seconds:0.000}}}"));
    }
}
