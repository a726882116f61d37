namespace Lintel.Is456;

/// <summary>Ordinary beams drawn with a fixed seed, so that a failing one comes again.</summary>
internal static class RandomBeams
{
    public const int Count = 2_000;

    private static readonly double[] Grades = [250, 415, 500, 550, 460];

    public static IEnumerable<BeamSection> Rectangular(int seed)
    {
        var random = new Random(seed);

        for (var i = 0; i < Count; i++)
        {
            yield return One(random);
        }
    }

    public static IEnumerable<BeamSection> Flanged(int seed)
    {
        var random = new Random(seed);

        for (var i = 0; i < Count; i++)
        {
            var web = One(random);
            yield return web with { FlangeWidth = web.Width * Between(random, 1, 6), FlangeDepth = web.Depth * Between(random, 0.08, 0.6) };
        }
    }

    public static double Between(Random random, double low, double high) => low + (high - low) * random.NextDouble();

    public static BeamDesign Design(in BeamSection section, double moment, double shear = 0, in DesignOptions options = default)
    {
        Assert.True(Beam.TryDesign(section, new BeamActions(moment, shear), options, out var design, out var problems), problems.ToString());
        return design;
    }

    public static void Close(double expected, double actual, double relative = 1e-9) =>
        Assert.True(Math.Abs(actual - expected) <= relative * Math.Max(Math.Abs(expected), 1e-9), $"expected {expected}, got {actual}");

    private static BeamSection One(Random random)
    {
        var depth = Between(random, 250, 1500);

        return new BeamSection
        {
            Width = Between(random, 150, 800),
            Depth = depth,
            EffectiveDepth = depth - Between(random, 30, 90),
            CompressionSteelDepth = Between(random, 30, 60),
            ConcreteStrength = Between(random, 15, 80),
            SteelStrength = Grades[random.Next(Grades.Length)],
            StirrupArea = Between(random, 50, 300),
        };
    }
}
