using System.Text.Json;
using Lintel.Features.Beams.Reports;
using Lintel.Features.Jobs;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Platform.Http;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Beams.Batches;

/// <summary>Batches as event streams.</summary>
internal sealed class BatchStreams(JobQueue queue, JobViewers viewers, JobWatch watch, TimeOrderedIds ids, TimeProvider time)
{
    public async Task<Job?> FindAsync(string jobId, Caller caller, CancellationToken cancellationToken) =>
        Guid.TryParse(jobId, out var id) && await queue.FindAsync(id, caller.OwnerId, cancellationToken) is { } job && job.Kind == BatchDesign.Kind.Name
            ? job
            : null;

    /// <summary>Submits a batch that lives as long as somebody watches, and shows it.</summary>
    /// <param name="beams">Is disposed before the batch is watched, which may take long.</param>
    /// <param name="scan">Has seen the beams as far as they were there.</param>
    public async Task StartAsync(HttpContext context, Caller caller, HeldBody beams, BeamScan scan)
    {
        var viewer = viewers.NewViewer();
        var (job, problem) = await SubmitAsync(caller, beams, scan, viewer, context.RequestAborted);
        if (job is null)
        {
            // Older clients read only the stream, so the refusal is an event.
            await watch.ServeSingleAsync(context, caller, "error", JsonSerializer.SerializeToUtf8Bytes(new(problem), BeamsJson.Default.BatchRefused));
            return;
        }

        await watch.ServeEventsAsync(context, caller, job, viewer);
    }

    /// <summary>Goes on with the batch that a cursor names.</summary>
    public async Task ResumeAsync(HttpContext context, Caller caller, string cursor)
    {
        var name = StreamCursor.TryParse(cursor, out var parsed) ? parsed.Stream : "";
        if (await FindAsync(name, caller, context.RequestAborted) is { } job)
        {
            await watch.ServeEventsAsync(context, caller, job);
        }
        else
        {
            await watch.ServeResetAsync(context, caller);
        }
    }

    private async Task<(Job? Job, string Problem)> SubmitAsync(Caller caller, HeldBody beams, BeamScan scan, Guid viewer, CancellationToken cancellationToken)
    {
        using (beams)
        {
            if (!scan.TryFinish(beams.Bytes.Span, out var problem))
            {
                return (null, problem);
            }

            var (outputs, _) = BatchOutputsExtensions.FindIn(beams.Bytes.Span, out var wrong);
            if (wrong is not null || (outputs != BatchOutputs.None && !caller.Has(Scopes.Files)))
            {
                return (null, wrong is null ? "outputs need the scope files" : $"{wrong.Value.Field}: {wrong.Value.Message}");
            }

            var now = time.GetUtcNow();
            var id = ids.Next();
            var request = new JobRequest(BatchDesign.Kind, caller.OwnerId, beams.ToArray(), scan.Count, CancelOnDisconnect: true, Id: id)
            {
                Opening = BatchDesign.Open(id, BeamBatch.Open(beams.Bytes, scan), now),
            };
            var submitted = await queue.SubmitAsync(request, cancellationToken, (session, id) => viewers.EnterAsync(session, id, viewer));
            return (submitted.Job, "");
        }
    }
}
