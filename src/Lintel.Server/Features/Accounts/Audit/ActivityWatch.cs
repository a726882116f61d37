using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Lintel.Platform.Threading;

namespace Lintel.Features.Accounts.Audit;

/// <summary>Brings what happens to accounts to open event streams, as the lists show it: what comes from now on, or from where the reader was.</summary>
internal sealed class ActivityWatch(Database database, StreamLog log, StreamFollower follower, AuditReader reader, LiveConnections connections, TimeProvider time)
{
    /// <param name="streamOf">Whose activity; null for the log of all accounts.</param>
    public async Task ServeAsync(HttpContext context, Caller caller, long? streamOf, AuditFilter filter)
    {
        // Read before the reader sees the response, so that it misses nothing from then on.
        var stream = await GetAsync(streamOf, context.RequestAborted);
        var cursor = StreamCursor.Of(context.Request);
        using var connection = await SseConnection.OpenAsync(context, caller, time);
        connections.Add(connection);
        try
        {
            // Without a cursor from now on: what came before is in the list.
            var (after, reset) = cursor is null ? (stream.Tail, null) : stream.Position(cursor);
            if (reset is { } reason)
            {
                await connection.ResetAsync(stream, reason);
                return;
            }

            if (cursor is null)
            {
                await connection.WritePositionAsync(stream, after);
            }

            await follower.RunAsync(stream, after, new Sink(connection, reader, filter));
            await connection.SayGoodbyeAsync();
        }
        finally
        {
            connections.Remove(connection);
        }
    }

    /// <summary>An account from before there was an activity has none until something happens.</summary>
    private async Task<StreamInfo> GetAsync(long? streamOf, CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(streamOf, cancellationToken) is { } known)
        {
            return known;
        }

        var name = streamOf is { } id ? AccountAudit.NameOf(id) : AccountAudit.Name;
        return await log.GetAsync(await database.WriteAsync(session => log.GetOrCreateAsync(session, name), cancellationToken), cancellationToken);
    }

    /// <summary>The followed events tell where to look: a reader is shown them as they are kept, which has their time, and is without what was erased.</summary>
    private sealed class Sink(SseConnection connection, AuditReader reader, AuditFilter filter) : IFollowSink
    {
        public AsyncSignal Signal => connection.Signal;

        public bool IsEnding => connection.IsEnding;

        public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
        {
            // Shared by nobody, and still not for the reader to cancel: the loop ends by itself.
            var found = await reader.ReadAsync(stream, batch.FirstSeq + index, batch.LastSeq + 1, filter, CancellationToken.None);
            for (var i = 0; i < found.Count;)
            {
                var first = i;
                List<StreamEvent> run = [];
                for (; i < found.Count && found[i].Seq == found[first].Seq + run.Count; i++)
                {
                    run.Add(new(found[i].Event.Kind, JsonSerializer.SerializeToUtf8Bytes(AuditReader.View(stream, found[i]), ActivityJson.Default.ActivityView)));
                }

                await connection.WriteAsync(stream, new EventBatch(found[first].Seq, [.. run]), 0);
            }
        }

        public ValueTask CompleteAsync() => connection.CompleteAsync();

        public ValueTask ResetAsync(StreamInfo stream, ResetReason reason) => connection.ResetAsync(stream, reason);

        public void Break() => connection.Break();

        public ValueTask IdleAsync() => connection.IdleAsync();
    }
}
