namespace Lintel.Is456;

/// <summary>Effective width bf of a flange when only the slab is known (IS 456:2000, cl. 23.1.2). All lengths in mm.</summary>
/// <remarks>l0 is the distance between points of zero moment: the span when simply supported, 0.7 of it for continuous beams.</remarks>
public static class EffectiveFlange
{
    /// <summary>T-beam: l0/6 + bw + 6 Df, not more than <paramref name="actualWidth"/>.</summary>
    public static double OfTBeam(double zeroMomentLength, double webWidth, double flangeDepth, double actualWidth) =>
        Math.Min(actualWidth, zeroMomentLength / 6 + webWidth + 6 * flangeDepth);

    /// <summary>L-beam: l0/12 + bw + 3 Df, not more than <paramref name="actualWidth"/>.</summary>
    public static double OfLBeam(double zeroMomentLength, double webWidth, double flangeDepth, double actualWidth) =>
        Math.Min(actualWidth, zeroMomentLength / 12 + webWidth + 3 * flangeDepth);
}
