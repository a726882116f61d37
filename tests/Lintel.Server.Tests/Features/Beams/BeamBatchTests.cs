using System.Buffers;
using System.Text;
using Lintel.Features.Beams.Batches;

namespace Lintel.Features.Beams;

public sealed class BeamBatchTests
{
    private const string Beams = """
        [ {"id":"a"}, {"id":"b","moment":9000}, 7, {"id":"d","width":"x"},
          {"id":"e","more":[[{}],"]"]} ]
        """;

    [Theory]
    [InlineData(Beams)]
    [InlineData("""{"name":["x",{"beams":[1]}],"beams":""" + Beams + ""","after":{}}""")]
    [InlineData("""{"beams":[1],"be\u0061ms":""" + Beams + "}")]
    public void Beams_are_designed_in_their_order(string json)
    {
        var batch = Open(json);

        Assert.Equal(5, batch.Count);
        Assert.Equal(
            [("a", BeamOutcome.Pass), ("b", BeamOutcome.Fail), ("beam_3", BeamOutcome.Refused), ("d", BeamOutcome.Refused), ("e", BeamOutcome.Pass)],
            Run(batch));
        Assert.False(batch.TryWriteNext(new ArrayBufferWriter<byte>(), out _));
    }

    [Theory]
    [InlineData(Beams, 5)]
    [InlineData(Beams, 0)]
    [InlineData("""{"beams":""" + Beams + "}", 5)]
    public void Batch_that_was_counted_before_is_the_same_batch(string json, int count)
    {
        var batch = BeamBatch.Reopen(Encoding.UTF8.GetBytes(json), count);

        Assert.Equal(5, batch.Count);
        Assert.Equal(Run(Open(Beams)), Run(batch));
    }

    [Theory]
    [InlineData("[]", "No beams provided")]
    [InlineData("""{"beams":[]}""", "No beams provided")]
    [InlineData("{}", "beams must be a JSON array")]
    [InlineData("""{"beams":{}}""", "beams must be a JSON array")]
    [InlineData("null", "beams must be a JSON array")]
    [InlineData("\"[]\"", "beams must be a JSON array")]
    [InlineData("", "Invalid JSON")]
    [InlineData("[{},]", "Invalid JSON at line 1, byte")]
    [InlineData("[{}\n,{]", "Invalid JSON at line 2, byte")]
    [InlineData("[{}] []", "Invalid JSON")]
    [InlineData("""{"beams":[{}]""", "Invalid JSON")]
    [InlineData("[NaN]", "Invalid JSON")]
    public void What_is_no_batch_is_refused_with_a_reason(string json, string problem)
    {
        Assert.False(BeamBatch.TryOpen(Encoding.UTF8.GetBytes(json), out var batch, out var said));
        Assert.Null(batch);
        Assert.StartsWith(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_no_UTF8_is_refused() =>
        Assert.False(BeamBatch.TryOpen(new byte[] { (byte)'[', (byte)'"', 0xff, (byte)'"', (byte)']' }, out _, out _));

    [Fact]
    public void Deeply_nested_text_is_refused_and_harmless()
    {
        var deep = new string('[', 100_000) + new string(']', 100_000);

        Assert.False(BeamBatch.TryOpen(Encoding.UTF8.GetBytes(deep), out _, out var problem));
        Assert.StartsWith("Invalid JSON", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Hundred_thousand_beams_are_accepted_and_one_more_is_not()
    {
        var most = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("1", BeamBatch.MaxBeams))}]");
        var more = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("1", BeamBatch.MaxBeams + 1))}]");

        Assert.True(BeamBatch.TryOpen(most, out var batch, out _));
        Assert.Equal(100_000, batch.Count);
        Assert.False(BeamBatch.TryOpen(more, out _, out var problem));
        Assert.StartsWith("Too many beams", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Good_beams_cost_no_memory()
    {
        var beams = string.Join(",\n", Enumerable.Range(0, 1000).Select(i =>
            $$"""{"id":"S{{i / 100:00}}-B{{i % 100:000}}","width":300,"depth":{{450 + i % 300}},"moment":{{50 + i % 400}},"shear":{{40.5 + i % 500}},"fck":{{20 + i % 45}},"fy":500}"""));
        var json = Encoding.UTF8.GetBytes($"[{beams}]");
        var output = new ArrayBufferWriter<byte>(64 * 1024);

        Drain(json, output);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var done = Drain(json, output);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(1000, done);
        Assert.InRange(allocated, 0, 500);      // the batch itself
    }

    private static int Drain(byte[] json, ArrayBufferWriter<byte> output)
    {
        Assert.True(BeamBatch.TryOpen(json, out var batch, out _));
        var done = 0;

        while (batch.TryWriteNext(output, out var outcome))
        {
            done += outcome == BeamOutcome.Refused ? 0 : 1;
            output.ResetWrittenCount();
        }

        return done;
    }

    private static BeamBatch Open(string json)
    {
        Assert.True(BeamBatch.TryOpen(Encoding.UTF8.GetBytes(json), out var batch, out var problem), problem);
        return batch;
    }

    private static List<(string Id, BeamOutcome Outcome)> Run(BeamBatch batch)
    {
        List<(string, BeamOutcome)> seen = [];
        var output = new ArrayBufferWriter<byte>();

        for (var index = batch.Next; batch.TryWriteNext(output, out var outcome); index++)
        {
            var body = BeamText.Parse(output);
            Assert.Equal(index, (int)body["index"]!);
            seen.Add(((string)body["beam_id"]!, outcome));
            output.ResetWrittenCount();
        }

        return seen;
    }
}
