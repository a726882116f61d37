using System.Globalization;
using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Microsoft.Extensions.Primitives;

namespace Lintel.Features.Jobs.Watching;

/// <summary>Lets callers watch a job over Server-Sent Events: from the start or from where they were.</summary>
internal sealed class JobWatch(
    StreamLog log, StreamFollower follower, JobViewers viewers, LiveConnections connections, TimeProvider time)
{
    /// <summary>The cursor that the request resumes from; the header wins over <c>?after=</c>.</summary>
    public static string? CursorOf(HttpRequest request)
    {
        var header = request.Headers["Last-Event-ID"];
        if (!StringValues.IsNullOrEmpty(header))
        {
            return header.ToString();
        }

        return request.Query.TryGetValue("after", out var after) && after.ToString() is { Length: > 0 } text ? text : null;
    }

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
        var cursor = CursorOf(context.Request);
        var (after, reset) = Position(stream, cursor);
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

    /// <summary>Where a reader with this cursor begins, or why it must start again.</summary>
    public static (long After, ResetReason? Reset) Position(StreamInfo stream, string? cursor)
    {
        if (cursor is null)
        {
            // From the start; of a stream whose beginning is no longer kept, from what is.
            return (stream.FloorSeq - 1, null);
        }

        // A bare number is a position in the stream as it is now.
        var known = long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? new StreamCursor(stream.Name, stream.Epoch, seq)
            : StreamCursor.TryParse(cursor, out var parsed) ? parsed : default;
        return (known.Seq, stream.Validate(known));
    }
}
