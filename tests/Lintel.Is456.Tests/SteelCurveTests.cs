namespace Lintel.Is456;

public sealed class SteelCurveTests
{
    [Theory]
    [InlineData(415, 0.00144, 288.7)]
    [InlineData(415, 0.00163, 306.7)]
    [InlineData(415, 0.00192, 324.8)]
    [InlineData(415, 0.00241, 342.8)]
    [InlineData(415, 0.00276, 351.8)]
    [InlineData(415, 0.00380, 360.9)]
    [InlineData(500, 0.00174, 347.8)]
    [InlineData(500, 0.00195, 369.6)]
    [InlineData(500, 0.00226, 391.3)]
    [InlineData(500, 0.00277, 413.0)]
    [InlineData(500, 0.00312, 423.9)]
    [InlineData(500, 0.00417, 434.8)]
    public void Curve_goes_through_the_points_of_table_A(double fy, double strain, double stress) =>
        Answers.Near(stress, SteelCurve.Stress(strain, fy), 0.003 * stress, "stress");

    [Fact]
    public void Stress_is_continuous_grows_with_strain_and_ends_at_the_design_strength()
    {
        foreach (var fy in (double[])[250, 300, 415, 460, 500, 550])
        {
            var last = 0.0;

            for (var strain = 0.0; strain < 0.006; strain += 1e-6)
            {
                var stress = SteelCurve.Stress(strain, fy);
                Assert.InRange(stress, last, Math.Min(200_000 * strain + 1e-9, 0.87 * fy + 1e-9));
                Assert.True(stress - last <= 0.2 + 1e-9);
                last = stress;
            }

            Assert.Equal(0.87 * fy, last, 1e-9);
        }
    }

    [Fact]
    public void Mild_steel_has_no_curve_before_it_yields()
    {
        Assert.Equal(200, SteelCurve.Stress(0.001, 250), 1e-9);
        Assert.Equal(217.5, SteelCurve.Stress(0.0010876, 250), 1e-9);
        Assert.Equal(217.5, SteelCurve.Stress(0.0011, 250.4), 0.4);
    }

    [Theory]
    [InlineData(250, 0.53)]
    [InlineData(250.4, 0.53)]
    [InlineData(415, 0.48)]
    [InlineData(414.6, 0.48)]
    [InlineData(500, 0.46)]
    [InlineData(550, 0.443459)]
    [InlineData(460, 0.466605)]
    public void Neutral_axis_limit_is_the_codes_for_its_grades_and_the_formula_for_others(double fy, double ratio)
    {
        Assert.Equal(ratio, Materials.NeutralAxisLimitRatio(fy), 1e-6);
        Assert.Equal(0.0035 / (0.0055 + 0.87 * fy / 200_000), Materials.NeutralAxisLimitRatio(fy), 0.005);
    }
}
