using System.Text.Json;

namespace Lintel.Features.Beams;

public sealed class ServiceExampleTests
{
    private static readonly JsonElement Rows = Load();

    public static TheoryData<string> Names => new(Rows.EnumerateArray().Select(row => row.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Names))]
    public void Beam_is_designed_as_in_the_example(string name)
    {
        var row = Rows.EnumerateArray().Single(row => row.GetProperty("name").GetString() == name);
        var parameters = row.GetProperty("params").GetRawText();
        var (section, _) = BeamText.Read(parameters);

        Assert.Equal(row.GetProperty("uses").GetProperty("d").GetDouble(), section.EffectiveDepth);
        Assert.Equal(row.GetProperty("uses").GetProperty("dd").GetDouble(), section.CompressionSteelDepth);
        Assert.Equal(row.GetProperty("uses").GetProperty("asv").GetDouble(), section.StirrupArea);

        var data = BeamText.Data(parameters).As<DesignedBeam>();

        foreach (var field in row.GetProperty("exp").EnumerateObject())
        {
            Compare(field, data);
        }
    }

    private static void Compare(JsonProperty expected, DesignedBeam data)
    {
        if (expected.Value.ValueKind != JsonValueKind.Number)
        {
            var flag = expected.Name switch
            {
                "flex_ok" => data.Flexure.IsSafe,
                "shear_ok" => data.Shear.IsSafe,
                "is_ok" => data.IsOk,
                _ => throw new ArgumentException($"No answer is called {expected.Name}.", nameof(expected)),
            };
            Assert.Equal(expected.Value.GetBoolean(), flag);
            return;
        }

        double[] answers = expected.Name switch
        {
            "mu_lim" => [data.Flexure.MuLim, data.Flexure.MomentCapacity],
            "xu" => [data.Flexure.Xu],
            "xu_max" => [data.Flexure.XuMax],
            "ast" => [data.Flexure.AstRequired, data.AstTotal],
            "asc" => [data.Flexure.AscRequired, data.AscTotal],
            "tv" => [data.Shear.Tv, data.Shear.TauV],
            "tc" => [data.Shear.Tc, data.Shear.TauC],
            "tc_max" => [data.Shear.TcMax, data.Shear.TauCMax],
            "vus" => [data.Shear.Vus],
            "sv" => [data.Shear.Spacing, data.Shear.StirrupSpacing],
            "util" => [data.GoverningUtilization, data.UtilizationRatio],
            _ => throw new ArgumentException($"No answer is called {expected.Name}.", nameof(expected)),
        };
        var wanted = expected.Value.GetDouble();
        Assert.All(answers, answer => Assert.Equal(wanted, answer, 1e-6 * Math.Max(1, Math.Abs(wanted))));
    }

    private static JsonElement Load()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "is456-examples.json"));
        using var document = JsonDocument.Parse(file);
        return document.RootElement.GetProperty("api").Clone();
    }
}
