using Lintel.Features.Jobs;
using Lintel.Features.Jobs.Running;
using Lintel.Features.Jobs.Watching;
using Lintel.Platform.Storage;

namespace Lintel.Features.Execution;

/// <summary>Submits programs for those who watch them.</summary>
internal sealed class Executions(JobQueue queue, JobKinds kinds, JobViewers viewers, JobLeases leases, TimeOrderedIds ids)
{
    public Guid NewJobId() => ids.Next();

    /// <summary>Submits a program for somebody who types into it here, so that it is run here.</summary>
    /// <returns>The job, and the viewer to leave with; null for a program that runs on without one.</returns>
    public Task<(Job Job, Guid? Viewer)> SubmitHereAsync(long ownerId, ExecutionRequest execution, Guid jobId) => SubmitAsync(ownerId, execution, jobId, leases.NodeId);

    /// <summary>Submits a program for somebody who waits for its end.</summary>
    public Task<(Job Job, Guid? Viewer)> SubmitAsync(long ownerId, ExecutionRequest execution) => SubmitAsync(ownerId, execution, NewJobId(), null);

    /// <summary>Submits a batch for somebody who waits for its end.</summary>
    public Task<(Job Job, Guid? Viewer)> SubmitAsync(long ownerId, ExecutionBatch batch) =>
        SubmitAsync(new JobRequest(kinds.Find(ExecuteBatchJob.Kind.Name)!, ownerId, batch.Input, batch.Runs.Count, CancelOnDisconnect: !batch.Program.Detach));

    private Task<(Job Job, Guid? Viewer)> SubmitAsync(long ownerId, ExecutionRequest execution, Guid jobId, Guid? nodeId) =>
        SubmitAsync(new JobRequest(
            kinds.Find(ExecuteJob.Kind.Name)!, ownerId, execution.Write(), 0, CancelOnDisconnect: !execution.Detach, Id: jobId, NodeId: nodeId));

    private async Task<(Job Job, Guid? Viewer)> SubmitAsync(JobRequest request)
    {
        Guid? viewer = request.CancelOnDisconnect ? viewers.NewViewer() : null;

        // Not cancelled half way: a client that goes away now leaves like any other.
        var submitted = await queue.SubmitAsync(
            request, CancellationToken.None, (session, id) => viewer is { } watching ? viewers.EnterAsync(session, id, watching) : ValueTask.CompletedTask);
        return (submitted.Job!, viewer);
    }
}
