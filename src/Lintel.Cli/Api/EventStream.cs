using System.Net;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Api;

/// <summary>An event of a stream.</summary>
/// <param name="Kind">Such as <c>output</c>.</param>
/// <param name="Id">Its place in the stream.</param>
/// <param name="Data">What it says, as JSON.</param>
internal readonly record struct ServerEvent(string Kind, string Id, ReadOnlyMemory<byte> Data)
{
    /// <summary>Whether it ends a job: nothing comes after it.</summary>
    public bool IsLast => Kind is "complete" or "failed" or "cancelled";
}

/// <summary>Where events come from, and what to tell who cannot have them.</summary>
/// <param name="Path">The stream's route.</param>
/// <param name="Gone">That those that come next are no longer there.</param>
/// <param name="Later">What brings the rest once the server is back.</param>
internal sealed record EventSource(string Path, string Gone, string Later)
{
    public static EventSource OfJob(Guid id) => new(
        $"api/jobs/{id}/events",
        $"The server no longer has the events of job {id} that come next, so the rest of it cannot be shown.",
        $"`lintel jobs watch {id}` shows the rest");
}

/// <summary>
/// Events from a place on, a job's to its end: when the connection breaks it goes on strictly after the last whole event, so that none is missed and none comes twice.
/// </summary>
internal sealed class EventStream(ApiClient api, EventSource source, TimeProvider time)
{
    // The server sends something every 15 seconds, if only a comment.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Told once when the connection breaks.</summary>
    public Action? Broken { get; init; }

    /// <summary>Told once when it is there again.</summary>
    public Action? Restored { get; init; }

    /// <summary>One that tells the user when the connection breaks, and when it is there again.</summary>
    public static EventStream Telling(ApiClient api, EventSource source, TimeProvider time) => new(api, source, time)
    {
        Broken = static () => StandardStreams.Tell("The connection broke. Reconnecting …"),
        Restored = static () => StandardStreams.Tell("Reconnected; nothing was lost."),
    };

    /// <param name="after">The id of the last event that is known; null for all.</param>
    /// <param name="isBroken">Whether the user was told already that there is no connection.</param>
    public async IAsyncEnumerable<ServerEvent> ReadAsync(string? after, bool isBroken, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        var lostAt = time.GetTimestamp();
        while (true)
        {
            var (response, wait) = await OpenAsync(after, cancellationToken);
            if (response is not null)
            {
                using (response)
                {
                    if (response.StatusCode == HttpStatusCode.NoContent)
                    {
                        yield break;
                    }

                    if (isBroken)
                    {
                        isBroken = false;
                        Restored?.Invoke();
                    }

                    await foreach (var item in ReadAsync(response, cancellationToken))
                    {
                        if (item.Kind == "reset")
                        {
                            throw new CommandException(ExitCode.Unavailable, source.Gone);
                        }

                        after = item.Id.Length > 0 ? item.Id : after;
                        pause = FirstPause;
                        yield return item;
                        if (item.IsLast)
                        {
                            yield break;
                        }
                    }
                }

                lostAt = time.GetTimestamp();
            }

            if (time.GetElapsedTime(lostAt) > Patience)
            {
                throw new CommandException(
                    ExitCode.TryAgain, $"{api.Address} has been out of reach for {Patience.TotalMinutes:0} minutes; once it is back, {source.Later}.");
            }

            if (!isBroken)
            {
                isBroken = true;
                Broken?.Invoke();
            }

            await Task.Delay(wait ?? pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    /// <summary>The stream, or how long to wait before the next attempt where the server says so.</summary>
    private async Task<(HttpResponseMessage? Response, TimeSpan? Wait)> OpenAsync(string? after, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Silence);
        try
        {
            response = await api.SendAsync(Make, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (Exception failure) when (failure is ServerUnreachableException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (null, null);
        }

        if ((int)response.StatusCode is 429 or >= 500)
        {
            var wait = response.Headers.RetryAfter?.Delta;
            response.Dispose();
            return (null, wait);
        }

        try
        {
            await api.ThrowIfRefusedAsync(response, cancellationToken);
            return (response, null);
        }
        catch
        {
            response.Dispose();
            throw;
        }

        HttpRequestMessage Make()
        {
            var request = new HttpRequestMessage(HttpMethod.Get, api.Address.At(source.Path));
            request.Headers.Accept.ParseAdd("text/event-stream");
            if (after is not null)
            {
                request.Headers.TryAddWithoutValidation("Last-Event-ID", after);
            }

            return request;
        }
    }

    /// <summary>The events of one connection, until it ends in whatever way.</summary>
    private static async IAsyncEnumerable<ServerEvent> ReadAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var body = new WatchedStream(await response.Content.ReadAsStreamAsync(cancellationToken), Silence);
        var parser = SseParser.Create(body, static (kind, data) => (Kind: kind, Data: data.ToArray()));
        await using var events = parser.EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await events.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException or TimeoutException)
            {
                yield break;
            }

            var item = events.Current;
            yield return new ServerEvent(item.Data.Kind, item.EventId ?? "", item.Data.Data);
        }
    }

    /// <summary>A stream on which nothing at all for some time means that it is broken.</summary>
    private sealed class WatchedStream(Stream inner, TimeSpan silence) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(silence);
            try
            {
                return await inner.ReadAsync(buffer, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException();
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
