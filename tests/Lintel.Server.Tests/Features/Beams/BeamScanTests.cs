using System.Diagnostics;
using System.Text;
using Lintel.Features.Beams.Batches;

namespace Lintel.Features.Beams;

public sealed class BeamScanTests
{
    [Theory]
    [InlineData("""[{"id":"a","more":[[{}],"]"]}, 7, "x", [1], null]""")]
    [InlineData("""{"name":["x",{"beams":[1]}],"beams":[{"a":{"beams":[]}},2],"after":{}}""")]
    [InlineData("""{"beams":[1],"b":"beams","be\u0061ms":[1,2,3]}""")]
    [InlineData("""{"beams":[1],"beams":{"beams":[]}}""")]
    [InlineData("""{"x":{"beams":[1]}}""")]
    [InlineData(" [] ")]
    [InlineData("12345")]
    [InlineData("")]
    [InlineData("[{}\n,{]")]
    [InlineData("[{}] []")]
    [InlineData("""{"beams":[{}]""")]
    [InlineData("[tru]")]
    public void However_the_text_comes_in_pieces_it_is_the_same_batch(string json)
    {
        var text = Encoding.UTF8.GetBytes(json);
        var whole = new BeamScan();
        var good = whole.TryFinish(text, out var problem);

        for (var first = 0; first <= text.Length; first++)
        {
            for (var second = first; second <= text.Length; second++)
            {
                var scan = new BeamScan(piece: 1);
                scan.Read(text.AsSpan(0, first));
                scan.Read(text.AsSpan(0, second));

                Assert.Equal(good, scan.TryFinish(text, out var said));
                Assert.Equal(problem, said);
                if (good)
                {
                    Assert.Equal((whole.Count, whole.First.Offset), (scan.Count, scan.First.Offset));
                }
            }
        }
    }

    [Fact]
    public void A_number_that_never_ends_costs_no_more_the_longer_it_gets()
    {
        var text = Encoding.UTF8.GetBytes("[" + new string('1', 4_000_000));
        var whole = TimeToScan(static (scan, text) => scan.Read(text), text);

        // Byte by byte the last quarter alone would be a million times that.
        var trickled = TimeToScan(
            static (scan, text) =>
            {
                for (var length = 3_000_000; length <= text.Length; length++)
                {
                    scan.Read(text.AsSpan(0, length));
                }
            },
            text);

        Assert.InRange(trickled, TimeSpan.Zero, (whole * 50) + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Pieces_may_end_within_a_letter()
    {
        var text = Encoding.UTF8.GetBytes("""[{"id":"Träger"},{"id":"梁"}]""");
        var scan = new BeamScan(piece: 1);
        for (var length = 0; length <= text.Length; length++)
        {
            scan.Read(text.AsSpan(0, length));
        }

        Assert.True(scan.TryFinish(text, out var problem), problem);
        Assert.Equal(2, scan.Count);
    }

    private static TimeSpan TimeToScan(Action<BeamScan, byte[]> read, byte[] text)
    {
        var started = Stopwatch.GetTimestamp();
        read(new BeamScan(), text);
        return Stopwatch.GetElapsedTime(started);
    }
}
