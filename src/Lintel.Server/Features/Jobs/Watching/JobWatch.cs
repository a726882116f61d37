using Lintel.Features.Streams;
using Lintel.Platform.Security;

namespace Lintel.Features.Jobs.Watching;

/// <summary>Lets callers watch a job over Server-Sent Events: from the start or from where they were.</summary>
internal sealed class JobWatch(
    StreamLog log, StreamFollower follower, JobViewers viewers, LiveConnections connections, TimeProvider time)
{
    /// <summary>Answers with the job's events, until its last one or until one side ends the response.</summary>
    /// <param name="viewerId">The viewer for whom the job was submitted, already counted in; null for one who comes later.</param>
    public async Task ServeEventsAsync(HttpContext context, Caller caller, Job job, Guid? viewerId = null)
    {
        viewerId ??= await viewers.EnterAsync(job, context.RequestAborted);
        var end = FollowEnd.Disconnected;
        try
        {
            end = await FollowAsync(context, caller, job);
        }
        finally
        {
            if (viewerId is { } id)
            {
                await viewers.LeaveAsync(job.Id, id, end);
            }
        }
    }

    /// <summary>Answers with one event that belongs to no stream.</summary>
    public async Task ServeSingleAsync(HttpContext context, Caller caller, string kind, ReadOnlyMemory<byte> data)
    {
        using var connection = await SseConnection.OpenAsync(context, caller, time);
        await connection.WriteAsync(kind, data.Span);
    }

    /// <summary>Answers a cursor that names nothing of this caller's.</summary>
    public async Task ServeResetAsync(HttpContext context, Caller caller)
    {
        using var connection = await SseConnection.OpenAsync(context, caller, time);
        await connection.ResetAsync(StreamInfo.None, ResetReason.Unknown);
    }

    private async Task<FollowEnd> FollowAsync(HttpContext context, Caller caller, Job job)
    {
        var stream = await log.GetAsync(job.StreamId, context.RequestAborted);
        var cursor = StreamCursor.Of(context.Request);
        var (after, reset) = stream.Position(cursor);
        if (cursor is not null && reset is null && stream.Closed && after == stream.Tail)
        {
            // Everything was seen: this status tells a browser not to come back.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return FollowEnd.Completed;
        }

        using var connection = await SseConnection.OpenAsync(context, caller, time);
        connections.Add(connection);
        try
        {
            if (reset is { } reason)
            {
                await connection.ResetAsync(stream, reason);
                return FollowEnd.Reset;
            }

            var end = await follower.RunAsync(stream, after, connection);
            await connection.SayGoodbyeAsync();
            return end;
        }
        finally
        {
            connections.Remove(connection);
        }
    }
}
