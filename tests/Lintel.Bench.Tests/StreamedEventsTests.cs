using System.Text;
using Lintel.Bench.Client;

namespace Lintel.Bench.Tests;

public sealed class StreamedEventsTests
{
    private const string Stream =
        ": hello\n\nretry: 3000\n\nid: 1\nevent: start\ndata: {}\n\nid: 2\nevent: progress\ndata: {\"a\":1}\n\n" +
        "id: 3\nevent: progress\ndata: {\"a\":2}\n\nid: 4\nevent: complete\ndata: {\"b\":3}\n\n";

    [Fact]
    public void Events_are_counted_by_name_and_comments_are_not_events()
    {
        var events = StreamedEvents.Read(Encoding.UTF8.GetBytes(Stream), _ => TimeSpan.Zero);

        Assert.Equal(4, events.Total);
        Assert.Equal((1, 2, 1), (events.Count("start"), events.Count("progress"), events.Count("complete")));
        Assert.Equal("{\"b\":3}", events.LastData);
    }

    [Fact]
    public void An_event_has_arrived_when_its_last_byte_has()
    {
        var events = StreamedEvents.Read(Encoding.UTF8.GetBytes(Stream), position => TimeSpan.FromTicks(position));

        var end = Stream.IndexOf("{\"a\":1}\n\n", StringComparison.Ordinal) + "{\"a\":1}\n\n".Length - 1;
        Assert.Equal(TimeSpan.FromTicks(end), events.First("progress"));
        Assert.Equal(TimeSpan.FromTicks(Stream.Length - 1), events.LastArrival);
    }

    [Fact]
    public void A_stream_that_stops_inside_an_event_is_an_error() =>
        Assert.Throws<IOException>(() => StreamedEvents.Read("event: start\ndata: {}\n"u8, _ => TimeSpan.Zero));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void A_chunked_body_is_put_together_and_knows_where_its_bytes_stood(int chunk)
    {
        var received = new StringBuilder("head");
        foreach (var part in Stream.Chunk(chunk))
        {
            received.Append(System.Globalization.CultureInfo.InvariantCulture, $"{part.Length:x}\r\n{new string(part)}\r\n");
        }

        var bytes = Encoding.UTF8.GetBytes(received.Append("0\r\n\r\n").ToString());
        var body = new ChunkedBody(bytes, "head".Length);

        Assert.Equal(Stream, Encoding.UTF8.GetString(body.Bytes));
        for (var i = 0; i < Stream.Length; i++)
        {
            Assert.Equal(Stream[i], (char)bytes[body.ReceivedPosition(i)]);
        }
    }
}
