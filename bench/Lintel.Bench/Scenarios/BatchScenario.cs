using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>A building's beams posted as one batch and read to the end as Server-Sent Events.</summary>
internal sealed class BatchScenario : IScenario
{
    private const int BeamCount = 10_000;
    private const int EventCount = 1 + (2 * BeamCount) + 1;
    private const string InPieces = "&pieces=true";

    // Until then the JSON reader runs as it was compiled ahead, at a fifth of its speed.
    private const int WarmUp = 24;
    private const double FirstLimit = 0.010;
    private const double CompleteLimit = 0.25;

    public string Name => "batch";

    public string About => "POST /stream/batch-design with 10,000 beams, over SSE";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var account = await Account.CreateAsync(server, "batch", cancellationToken);
        var recording = new StreamRecording();
        var post = HttpExchange.Post("/stream/batch-design", Beams.ArrayOf(BeamCount), account.AccessToken, "text/event-stream");

        var cold = RunBatch(recording, server, post);
        var eventSize = cold.Bytes / EventCount;
        var coldFirst = cold.First("design_result").TotalSeconds;
        var coldComplete = cold.First("complete").TotalSeconds;
        for (var i = 0; i < WarmUp; i++)
        {
            RunBatch(recording, server, post);
            RunPeer(recording, peer, eventSize, "");
            RunPeer(recording, peer, eventSize, InPieces);
        }

        var firsts = new List<double>();
        var (complete, bare) = stage.Interleave(
            () =>
            {
                var events = RunBatch(recording, server, post);
                firsts.Add(events.First("design_result").TotalSeconds);
                return events.First("complete").TotalSeconds;
            },
            () => RunPeer(recording, peer, eventSize, ""),
            cancellationToken);
        var pieces = new Sample(Enumerable.Range(0, stage.Rounds).Select(_ => RunPeer(recording, peer, eventSize, InPieces)));

        var first = new Sample(firsts);
        return new Findings()
            .Add(new Row("first design_result", first.Show(Milliseconds), Target: "<= 10 ms", Met: first.Median <= FirstLimit))
            .Add(new Row(
                $"all {Show.Count(EventCount)} events, durable", complete.Show(Show.Seconds), $"bare SSE, same bytes one by one {bare.Show(Show.Seconds)}",
                Show.Times(complete.Median / bare.Median), "<= 0.25 s", complete.Median <= CompleteLimit))
            .Note(
                $"timed from the first byte of the request ({post.Length / 1024:N0} KB) sent; {eventSize} bytes an event; every run's events were counted. " +
                $"After {WarmUp} batches to warm up; the server's very first took {Milliseconds(coldFirst)} to its first result and {Show.Seconds(coldComplete)} in all. " +
                $"Bare SSE takes {pieces.Show(Show.Seconds)} when it sends the events in pieces of 16 KB.");
    }

    private static string Milliseconds(double seconds) => Show.Milliseconds(seconds * 1000);

    private static StreamedEvents RunBatch(StreamRecording recording, ChildServer server, byte[] post)
    {
        var events = recording.Run(server.Endpoint, post);
        return events.Count("start") == 1 && events.Count("design_result") == BeamCount && events.Count("progress") == BeamCount
            && events.Count("complete") == 1 && events.Total == EventCount
            ? events
            : throw new IOException(
                $"Of {EventCount} events came {events.Total}: {events.Count("start")} start, {events.Count("design_result")} design_result, " +
                $"{events.Count("progress")} progress, {events.Count("error")} error, {events.Count("complete")} complete. Last: {events.LastData}");
    }

    private static double RunPeer(StreamRecording recording, ChildServer peer, int eventSize, string how)
    {
        var events = recording.Run(peer.Endpoint, HttpExchange.Get($"/sse?count={EventCount}&size={eventSize}{how}"));
        return events.Total == EventCount
            ? events.LastArrival.TotalSeconds
            : throw new IOException($"The baseline sent {events.Total} events.");
    }
}
