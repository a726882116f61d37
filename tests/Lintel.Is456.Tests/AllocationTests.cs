namespace Lintel.Is456;

public sealed class AllocationTests
{
    [Fact]
    public void Design_check_and_refusal_allocate_nothing()
    {
        BeamSection[] sections = [.. RandomBeams.Rectangular(31).Take(50), .. RandomBeams.Flanged(31).Take(50), new()
        {
            Width = -1, Depth = double.NaN, EffectiveDepth = 6000, ConcreteStrength = 1, SteelStrength = 1,
        }];
        BeamActions[] cases = [new(100, 50), new(5000, 100) { ProvidedTensionSteel = 900 }, new(-20, 4000), new(double.NaN, 1)];
        var designs = new BeamDesign[cases.Length];
        var options = new DesignOptions { StirrupStrength = 415, SpanDepth = new SpanDepthInput { Span = 6000 } };

        var seen = Work(sections, cases, options, designs);
        var before = GC.GetAllocatedBytesForCurrentThread();
        seen += Work(sections, cases, options, designs);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.True(seen > 1000, $"{seen}");
    }

    private static int Work(BeamSection[] sections, BeamActions[] cases, in DesignOptions options, BeamDesign[] designs)
    {
        var seen = 0;

        foreach (ref readonly var section in sections.AsSpan())
        {
            foreach (ref readonly var actions in cases.AsSpan())
            {
                seen += Beam.TryDesign(section, actions, options, out var design, out var problems) && design.IsOk ? 1 : 0;

                foreach (var problem in problems)
                {
                    seen += problem.Message.Length;
                }
            }

            seen += Beam.TryCheck(section, cases.AsSpan(0, 3), options, designs, out var summary, out _) ? summary.Cases : 0;
            seen += Beam.TryCheck(section, cases, options, designs, out _, out var bad) ? 0 : bad.FirstBadCase;
        }

        return seen;
    }
}
