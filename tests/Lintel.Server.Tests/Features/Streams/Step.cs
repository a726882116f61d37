using FsCheck;
using FsCheck.Fluent;

namespace Lintel.Features.Streams;

/// <summary>What may happen to a log.</summary>
internal enum Deed
{
    Append,
    AppendBeside,
    AppendAndFail,
    AppendLate,
    TakeOver,
    Prune,
    Close,
    Follow,
    Resume,
    Leave,
    Stall,
    GoOn,
    Settle,
    Restart,
}

/// <summary>One step of a random history. The numbers choose among whatever is there, so any part of a history is a history: that is what makes shrinking work.</summary>
internal readonly record struct Step(Deed Deed, int Which, int Amount, int Place)
{
    private const int Longest = 60;

    private static readonly (int Weight, Deed Deed)[] Deeds =
    [
        (10, Deed.Append), (4, Deed.AppendBeside), (2, Deed.AppendAndFail), (2, Deed.AppendLate), (1, Deed.TakeOver), (3, Deed.Prune), (1, Deed.Close),
        (7, Deed.Follow), (4, Deed.Resume), (3, Deed.Leave), (3, Deed.Stall), (3, Deed.GoOn), (3, Deed.Settle), (1, Deed.Restart),
    ];

    public static Arbitrary<Step[]> Histories { get; } = Arb.From(OfHistory(), Shorter);

    private static Gen<Step[]> OfHistory()
    {
        var deed = Gen.Frequency(Deeds.Select(static entry => (entry.Weight, Gen.Constant(entry.Deed))));
        var number = Gen.Choose(0, 999);
        var step =
            from what in deed
            from which in number
            from amount in number
            from place in number
            select new Step(what, which, amount, place);
        return Gen.Choose(5, Longest).SelectMany(length => Gen.ArrayOf(step, length));
    }

    /// <summary>Halves first, then all but one step: the first failing history of few steps is found in few runs.</summary>
    private static IEnumerable<Step[]> Shorter(Step[] history)
    {
        for (var part = history.Length / 2; part >= 1; part /= 2)
        {
            for (var start = 0; start + part <= history.Length; start += part)
            {
                yield return [.. history[..start], .. history[(start + part)..]];
            }
        }
    }
}
