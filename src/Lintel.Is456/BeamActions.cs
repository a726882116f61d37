namespace Lintel.Is456;

/// <summary>Factored actions on a section: one load case. The sign is dropped, the magnitude is designed for.</summary>
/// <param name="Moment">Factored bending moment Mu, kN.m.</param>
/// <param name="Shear">Factored shear force Vu, kN.</param>
public readonly record struct BeamActions(double Moment, double Shear)
{
    /// <summary>
    /// Tension steel really provided, mm2, on which the shear strength of the concrete is to rest (cl. 40.2.1);
    /// null takes the steel that flexure requires.
    /// </summary>
    public double? ProvidedTensionSteel { get; init; }
}
