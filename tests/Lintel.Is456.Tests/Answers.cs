using System.Text.Json;

namespace Lintel.Is456;

/// <summary>Reads a design by the short names of the examples, and compares.</summary>
internal static class Answers
{
    public static double Number(in BeamDesign design, string name) => name switch
    {
        "mu_lim" => design.Flexure.LimitingMoment,
        "xu_max" => design.Flexure.NeutralAxisLimit,
        "xu" => design.Flexure.NeutralAxis,
        "ast" => design.Flexure.TensionSteel,
        "asc" => design.Flexure.CompressionSteel,
        "ast2" => design.Flexure.BalancingTensionSteel,
        "ast_min" => design.Flexure.MinTensionSteel,
        "ast_max" => design.Flexure.MaxSteel,
        "tv" => design.Shear.Stress,
        "tc" => design.Shear.Strength,
        "tc_max" => design.Shear.Ceiling,
        "vus" => design.Shear.StirrupShear,
        "sv_calc" => design.Shear.CalculatedSpacing,
        "sv" => design.Shear.Spacing,
        "sv_min_reinf" => design.Shear.MinimumStirrupSpacing,
        "u_flex" => design.Flexure.Utilization,
        "u_shear" => design.Shear.Utilization,
        "util" => design.Utilization,
        _ => throw new ArgumentException($"No number is called {name}.", nameof(name)),
    };

    public static bool Flag(in BeamDesign design, string name) => name switch
    {
        "doubly" => design.Flexure.IsDoublyReinforced,
        "flex_ok" => design.Flexure.IsSafe,
        "shear_ok" => design.Shear.IsSafe,
        "is_ok" => design.IsOk,
        _ => throw new ArgumentException($"No flag is called {name}.", nameof(name)),
    };

    /// <summary>Compares every expected field; returns how many were compared, so that a test can insist on some.</summary>
    public static int Compare(in BeamDesign design, JsonElement row, double shear, double tolerance = Examples.Tolerance)
    {
        var compared = 0;

        foreach (var field in row.GetProperty("exp").EnumerateObject())
        {
            if (row.Skips(field.Name))
            {
                continue;
            }

            compared++;

            if (field.Value.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(field.Value.GetString() == "flange", design.Flexure.IsNeutralAxisInFlange);
            }
            else if (field.Value.ValueKind != JsonValueKind.Number)
            {
                Assert.True(field.Value.GetBoolean() == Flag(design, field.Name), field.Name);
            }
            else
            {
                var expected = field.Value.GetDouble();
                var allowed = field.Name switch
                {
                    "sv" => 0,
                    "vus" => tolerance * Math.Max(Math.Abs(shear), expected),
                    "asc" => Math.Max(tolerance * expected, 1),
                    _ => tolerance * Math.Abs(expected),
                };
                Near(expected, Number(design, field.Name), allowed, field.Name);
            }
        }

        return compared;
    }

    public static void Near(double expected, double actual, double allowed, string name) =>
        Assert.True(Math.Abs(actual - expected) <= allowed, $"{name}: expected {expected} within {allowed}, got {actual}");
}
