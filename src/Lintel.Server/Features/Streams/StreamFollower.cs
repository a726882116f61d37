namespace Lintel.Features.Streams;

/// <summary>How a follow loop ended.</summary>
internal enum FollowEnd
{
    /// <summary>The stream is closed and every event of it was written.</summary>
    Completed,

    /// <summary>The reader was told to start again.</summary>
    Reset,

    /// <summary>The connection is over.</summary>
    Disconnected,
}

/// <summary>The one loop that brings a stream to a reader: in order, without a gap or a repeat, or with a reset that says so.</summary>
internal sealed class StreamFollower(StreamLog log, StreamFeeds feeds)
{
    /// <summary>Follows a stream from just after event <paramref name="after"/> until it closes or the connection ends.</summary>
    /// <param name="isRewritten">Events may change after they were appended: those from before this follower came are read from the database, as they are now.</param>
    public async Task<FollowEnd> RunAsync(StreamInfo stream, long after, IFollowSink sink, bool isRewritten = false)
    {
        // Watching begins before the end is read, so that no append falls between the two.
        var feed = feeds.Watch(stream.Id);
        var last = after;
        var stored = 0L;
        feed.Join(sink.Signal);
        try
        {
            if (await log.FindAsync(stream.Id, CancellationToken.None) is { } current)
            {
                feed.Observe(current.Tail, current.Closed);
                stored = isRewritten ? current.Tail : 0;
            }

            // One method and not two: what it holds, each of ten thousand idle followers holds.
            while (!sink.IsEnding)
            {
                if (last >= stored && feed.Find(last + 1) is { } found)
                {
                    await sink.WriteAsync(stream, found.Batch, found.Index);
                    last = found.Batch.LastSeq;
                    continue;
                }

                var end = feed.End;
                if (end.Tail > last)
                {
                    if (await feed.ReadAsync(log, last) is not { } page || page.FirstSeq != last + 1)
                    {
                        await sink.ResetAsync(await log.FindAsync(stream.Id, CancellationToken.None) ?? stream, ResetReason.TooOld);
                        return FollowEnd.Reset;
                    }

                    await sink.WriteAsync(stream, page, 0);
                    last = page.LastSeq;
                    continue;
                }

                if (end.Closed)
                {
                    await sink.CompleteAsync();
                    return FollowEnd.Completed;
                }

                await sink.Signal.WaitAsync();
                await sink.IdleAsync();
            }

            return FollowEnd.Disconnected;
        }
        catch
        {
            sink.Break();
            throw;
        }
        finally
        {
            feed.Leave(sink.Signal);
            feeds.Release(feed);
        }
    }
}
