using System.Buffers;
using Lintel.Features.Beams.Batches;
using Lintel.Samples;

namespace Lintel.Features.Beams;

public sealed class BuildingSampleTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "samples");

    [Fact]
    public void Files_are_what_the_generator_makes()
    {
        Assert.Equal(BuildingSample.Json(), File.ReadAllText(Path.Combine(Folder, "building.json")));
        Assert.Equal(BuildingSample.Csv(), File.ReadAllText(Path.Combine(Folder, "building.csv")));
    }

    [Fact]
    public void Building_has_a_thousand_beams_of_every_status()
    {
        var outcomes = Design().ToDictionary(beam => beam.Id, beam => beam.Outcome);

        Assert.Equal(1000, outcomes.Count);
        Assert.Equal("S01-B001", outcomes.Keys.First());
        Assert.Equal("S10-B100", outcomes.Keys.Last());
        Assert.Equal(989, outcomes.Values.Count(outcome => outcome == "PASS"));
        Assert.Equal(["S03-B097", "S06-B097", "S09-B097"], Having("FAIL flexure"));
        Assert.Equal(["S02-B098", "S05-B098", "S08-B098"], Having("FAIL shear"));
        Assert.Equal(["S01-B099", "S04-B099", "S06-B099", "S07-B099", "S10-B099"], outcomes.Where(beam => beam.Value.StartsWith("error", StringComparison.Ordinal)).Select(beam => beam.Key));
        Assert.Equal("error width", outcomes["S01-B099"]);
        Assert.Equal("error fck", outcomes["S04-B099"]);
        Assert.Equal("error moment", outcomes["S06-B099"]);
        Assert.Equal("error cover", outcomes["S07-B099"]);
        Assert.Equal("error depth", outcomes["S10-B099"]);

        IEnumerable<string> Having(string outcome) => outcomes.Where(beam => beam.Value == outcome).Select(beam => beam.Key);
    }

    [Fact]
    public void Building_has_beams_of_every_kind()
    {
        var json = File.ReadAllLines(Path.Combine(Folder, "building.json"))[1..^1];
        var beams = json.Select(line => line.TrimEnd(',')).Where(line => BeamText.Problems(line).Length == 0)
            .Select(line => BeamText.Data(line).As<DesignedBeam>()).ToArray();

        Assert.Contains(beams, beam => beam.Flexure is { IsDoublyReinforced: true, IsSafe: true });
        Assert.Contains(beams, beam => beam.Flexure.AstRequired == beam.Flexure.AstMin);
        Assert.Contains(beams, beam => beam.Shear.Vus > 0);
        Assert.Contains(beams, beam => beam.SideFace is not null);
        Assert.Contains(json, line => line.Contains("flange_width", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Id, string Outcome)> Design()
    {
        Assert.True(BeamBatch.TryOpen(File.ReadAllBytes(Path.Combine(Folder, "building.json")), out var batch, out var problem), problem);
        var output = new ArrayBufferWriter<byte>();

        while (batch.TryWriteNext(output, out var outcome))
        {
            var body = BeamText.Parse(output);
            output.ResetWrittenCount();
            var what = outcome switch
            {
                BeamOutcome.Refused => $"error {string.Join(' ', body["fields"]!.AsObject().Select(field => field.Key))}",
                BeamOutcome.Fail => $"FAIL {string.Join(' ', body["failed_checks"]!.AsArray().Select(text => ((string)text!).Split(' ')[0]).Distinct())}",
                _ => "PASS",
            };
            yield return ((string)body["beam_id"]!, what);
        }
    }
}
