using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Lintel.Features.Beams.Reports;
using Lintel.Features.Files;
using Lintel.Features.Jobs;
using Lintel.Features.Streams;
using Lintel.Platform.Security;

namespace Lintel.Features.Beams.Batches;

/// <summary>
/// The job kind <c>batch-design</c>: designs many beams, one after the other. Its events are a function of its input: <c>start</c>, then for each beam its result and
/// the progress, so an attempt that follows a crash knows from their number where to go on.
/// </summary>
internal sealed class BatchDesign(BatchFiles files, TimeProvider time) : IJobHandler
{
    // Longer than any progress.
    private const int MaxText = 160;

    // So many are designed in less time than it takes to tell of them.
    private const int OpeningBeams = 8;

    public static readonly JobKind Kind = new("batch-design", Scopes.Design) { Events = BatchEvents.Emitted };

    public ValueTask<PreparedInput> PrepareAsync(ReadOnlyMemory<byte> input, Caller caller, CancellationToken cancellationToken) =>
        files.PrepareAsync(input, caller, cancellationToken);

    public JobInputCheck Check(ReadOnlySpan<byte> input)
    {
        var scan = new BeamScan();
        return scan.TryFinish(input, out var problem) ? new JobInputCheck(scan.Count) : new JobInputCheck(0, problem);
    }

    /// <summary>The batch's first events: they go into the log with the batch itself, so that whoever watches need not wait for its turn to run.</summary>
    public static JobOpening Open(Guid jobId, BeamBatch batch, DateTimeOffset at)
    {
        var written = new ArrayBufferWriter<byte>(8 * 1024);
        var events = new List<StreamEvent>(1 + (2 * OpeningBeams)) { new("start", Start(jobId, batch.Count, at)) };
        var failed = 0;
        while (batch.Next < OpeningBeams && batch.TryWriteNext(written, out var outcome))
        {
            failed += outcome == BeamOutcome.Refused ? 1 : 0;
            events.Add(new StreamEvent(KindOf(outcome), Take(written)));
            WriteProgress(written, new JobProgress(batch.Next, batch.Count, failed));
            events.Add(new StreamEvent("progress", Take(written)));
        }

        return new JobOpening([.. events], batch.Next, failed);
    }

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        var batch = BeamBatch.Reopen(job.Input, (int)job.Total);
        if (job.EventsSoFar == 0)
        {
            await job.EmitAsync("start", Start(job.JobId, batch.Count, time.GetUtcNow()));
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
            await job.EmitAsync(KindOf(outcome));
            await ProgressAsync(job, batch, failed);
        }

        // A crash behind this finds the files again: their ids are the job's.
        var saved = await files.SaveAsync(job, time.GetUtcNow(), cancellationToken);
        return JobOutcome.Complete(Completion(job, batch.Count, failed, saved));
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
        WriteProgress(job.Event, progress);
        return job.EmitAsync("progress");
    }

    private static void WriteProgress(IBufferWriter<byte> output, JobProgress progress)
    {
        Utf8.TryWrite(
            output.GetSpan(MaxText),
            CultureInfo.InvariantCulture,
            $"{{\"completed\":{progress.Completed},\"total\":{progress.Total},\"failed\":{progress.Failed},\"percent\":{progress.Percent:0.0}}}",
            out var written);
        output.Advance(written);
    }

    private static string KindOf(BeamOutcome outcome) => outcome == BeamOutcome.Refused ? "error" : "design_result";

    private static byte[] Take(ArrayBufferWriter<byte> written)
    {
        var bytes = written.WrittenSpan.ToArray();
        written.ResetWrittenCount();
        return bytes;
    }

    private static byte[] Start(Guid jobId, int total, DateTimeOffset at) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"job_id\":\"{jobId}\",\"total\":{total},\"timestamp\":\"{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}\"}}"));

    private byte[] Completion(JobContext job, int total, int failed, List<(StoredFile? File, string? Problem)> saved)
    {
        var seconds = Math.Max(0, (time.GetUtcNow() - job.StartedAt).TotalSeconds);
        var text = new StringBuilder(128).Append(
            CultureInfo.InvariantCulture, $"{{\"job_id\":\"{job.JobId}\",\"total\":{total},\"completed\":{total},\"failed\":{failed},\"duration_seconds\":{seconds:0.000}");
        if (saved.Count > 0)
        {
            // Names, types and problems are the server's own words: nothing in them needs escaping.
            text.Append(",\"files\":[").AppendJoin(',', saved.Where(static entry => entry.File is not null).Select(static entry => Describe(entry.File!))).Append("],\"file_errors\":[")
                .AppendJoin(',', saved.Where(static entry => entry.Problem is not null).Select(static entry => $"\"{entry.Problem}\"")).Append(']');
        }

        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }

    private static string Describe(StoredFile file) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"id\":\"{file.Id}\",\"filename\":\"{file.Filename}\",\"size\":{file.Size},\"content_type\":\"{file.ContentType}\",\"sha256\":\"{file.Sha256}\"}}");
}
