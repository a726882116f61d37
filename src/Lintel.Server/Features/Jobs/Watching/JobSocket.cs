using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Jobs.Watching;

/// <summary>Lets callers watch a job over a WebSocket. What it holds while nothing happens is what each of ten thousand idle watchers costs.</summary>
internal sealed class JobSocket(SocketHandshake handshake, JobQueue queue, JobKinds kinds, StreamLog log, StreamFollower follower, JobViewers viewers)
{
    public async Task ServeAsync(HttpContext context)
    {
        using var connection = await handshake.AcceptAsync(context, Scopes.None);
        if (connection is null)
        {
            return;
        }

        var jobId = Guid.Parse((string)context.Request.RouteValues["id"]!);
        Guid? viewerId = null;
        var end = FollowEnd.Disconnected;
        try
        {
            (var following, viewerId) = await StartAsync(context.Request, connection, jobId);

            // What a watching client may say: a new token, or that it is there.
            while (await connection.ReceiveAsync() == SocketRead.Message)
            {
                await handshake.AnswerAsync(connection);
            }

            end = await following;
        }
        catch
        {
            await connection.FailAsync();
            throw;
        }
        finally
        {
            if (viewerId is { } id)
            {
                await viewers.LeaveAsync(jobId, id, end);
            }
        }
    }

    private async Task<(Task<FollowEnd> Following, Guid? ViewerId)> StartAsync(HttpRequest request, SocketConnection connection, Guid jobId)
    {
        if (await queue.FindAsync(jobId, connection.Caller.OwnerId, CancellationToken.None) is not { } job || !kinds.Admits(connection.Caller, job.Kind))
        {
            await connection.RefuseAsync("Job not found");
            return (Task.FromResult(FollowEnd.Disconnected), null);
        }

        var sink = new SocketFollowSink(connection);
        var stream = await log.GetAsync(job.StreamId, CancellationToken.None);

        // Last, so that nothing can fail between counting the viewer in and out.
        var viewerId = await viewers.EnterAsync(job, CancellationToken.None);
        var (after, reset) = stream.Position(StreamCursor.Of(request));
        return (reset is { } reason ? ResetAsync(sink, stream, reason) : follower.RunAsync(stream, after, sink), viewerId);
    }

    private static async Task<FollowEnd> ResetAsync(SocketFollowSink sink, StreamInfo stream, ResetReason reason)
    {
        await sink.ResetAsync(stream, reason);
        return FollowEnd.Reset;
    }
}
