using System.Text.Json;

namespace Lintel.Is456;

/// <summary>The worked examples of is456-examples.json, found by group and id.</summary>
internal static class Examples
{
    private static readonly JsonElement Root = Load();

    /// <summary>Relative tolerance of the computed examples; published ones carry their own.</summary>
    public const double Tolerance = 0.005;

    public static TheoryData<string> Ids(string group) => new(Root.GetProperty(group).EnumerateArray().Select(Id));

    public static JsonElement Find(string group, string id) => Root.GetProperty(group).EnumerateArray().Single(row => Id(row) == id);

    public static bool Skips(this JsonElement row, string field) =>
        row.TryGetProperty("skip", out var skip) && skip.EnumerateArray().Any(name => name.GetString() == field);

    public static double Number(this JsonElement row, string name) => row.GetProperty(name).GetDouble();

    public static double Number(this JsonElement row, string name, double absent) =>
        row.TryGetProperty(name, out var value) ? value.GetDouble() : absent;

    public static bool IsRejected(this JsonElement row) => row.GetProperty("exp").TryGetProperty("error", out _);

    public static BeamSection Section(this JsonElement input) => new()
    {
        Width = input.Number(input.TryGetProperty("bw", out _) ? "bw" : "b"),
        Depth = input.Number("D"),
        EffectiveDepth = input.Number("d"),
        CompressionSteelDepth = input.Number("dd"),
        ConcreteStrength = input.Number("fck"),
        SteelStrength = input.Number("fy"),
        StirrupArea = input.Number("asv", 100),
        FlangeWidth = input.Number("bf", 0),
        FlangeDepth = input.Number("Df", 0),
    };

    private static string Id(JsonElement row) => row.TryGetProperty("id", out var id) ? id.GetString()! : row.GetProperty("name").GetString()!;

    private static JsonElement Load()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "is456-examples.json"));
        using var document = JsonDocument.Parse(file);
        return document.RootElement.Clone();
    }
}
