namespace Lintel.Is456;

/// <summary>Shear stresses that concrete can carry: strength (IS 456:2000, Table 19) and ceiling (Table 20), N/mm2.</summary>
public static class ShearStrengthTable
{
    private const int Columns = 6;
    private const double FirstGrade = 15;
    private const double GradeStep = 5;

    // One row for each pt: 0.15, then 0.25 to 3.00 by 0.25. Columns M15, M20, M25, M30, M35, M40 and above.
    private static ReadOnlySpan<double> Strengths =>
    [
        0.28, 0.28, 0.29, 0.29, 0.29, 0.30,
        0.35, 0.36, 0.36, 0.37, 0.37, 0.38,
        0.46, 0.48, 0.49, 0.50, 0.50, 0.51,
        0.54, 0.56, 0.57, 0.59, 0.59, 0.60,
        0.60, 0.62, 0.64, 0.66, 0.67, 0.68,
        0.64, 0.67, 0.70, 0.71, 0.73, 0.74,
        0.68, 0.72, 0.74, 0.76, 0.78, 0.79,
        0.71, 0.75, 0.78, 0.80, 0.82, 0.84,
        0.71, 0.79, 0.82, 0.84, 0.86, 0.88,
        0.71, 0.81, 0.85, 0.88, 0.90, 0.92,
        0.71, 0.82, 0.88, 0.91, 0.93, 0.95,
        0.71, 0.82, 0.90, 0.94, 0.96, 0.98,
        0.71, 0.82, 0.92, 0.96, 0.99, 1.01,
    ];

    private static ReadOnlySpan<double> Ceilings => [2.5, 2.8, 3.1, 3.5, 3.7, 4.0];

    /// <summary>
    /// Design shear strength tau_c (Table 19): linear in <paramref name="steelPercent"/> = 100 Ast/(b d), which is held to the table's ends;
    /// the column is the highest grade not above <paramref name="fck"/> (15 or more), never between two.
    /// </summary>
    public static double Strength(double steelPercent, double fck)
    {
        var column = Math.Min(Columns - 1, (int)((fck - FirstGrade) / GradeStep));
        var pt = Math.Clamp(steelPercent, 0.15, 3.0);

        if (pt < 0.25)
        {
            return Between(0, column, (pt - 0.15) / 0.10);
        }

        var steps = pt / 0.25;
        var row = Math.Min((int)steps, 11);
        return Between(row, column, steps - row);
    }

    /// <summary>Ceiling tau_c,max of the shear stress (Table 20), linear in <paramref name="fck"/> between grades, M40's above it.</summary>
    public static double Ceiling(double fck)
    {
        var steps = Math.Min(Columns - 1, (fck - FirstGrade) / GradeStep);
        var column = Math.Min((int)steps, Columns - 2);
        return Ceilings[column] + (Ceilings[column + 1] - Ceilings[column]) * (steps - column);
    }

    private static double Between(int row, int column, double part)
    {
        var lower = Strengths[row * Columns + column];
        return lower + (Strengths[(row + 1) * Columns + column] - lower) * part;
    }
}
