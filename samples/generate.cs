using System.Globalization;
using System.Text;

namespace Lintel.Samples;

/// <summary>
/// Makes the beams of a ten-storey framed building: <c>dotnet run samples/generate.cs</c> writes <c>building.json</c> and <c>building.csv</c> beside this file.
/// The same beams come out every time and everywhere.
/// </summary>
/// <remarks>
/// A hundred beams a storey: 40 primary, 40 secondary (cast with the slab, so T-beams), 14 along the edge, 6 others. Spans, loads and sizes are
/// ordinary; among the others a few are too small on purpose, and a few are mistakes such as real schedules have.
/// </remarks>
internal static class BuildingSample
{
    public const int Storeys = 10;
    public const int BeamsPerStorey = 100;

    private const int Seed = 456;

    private static readonly string[] Columns =
    [
        "id", "width", "depth", "moment", "shear", "fck", "fy", "cover", "stirrup_dia_mm", "main_bar_dia_mm", "flange_width", "flange_depth",
    ];

#if !LINTEL_TESTS
    private static void Main()
    {
        var folder = Folder();
        File.WriteAllText(Path.Combine(folder, "building.json"), Json());
        File.WriteAllText(Path.Combine(folder, "building.csv"), Csv());
        Console.WriteLine($"{Storeys * BeamsPerStorey} beams written to {folder}");
    }

    private static string Folder([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
#endif

    /// <summary>A JSON array with one beam a line.</summary>
    public static string Json()
    {
        var lines = Beams().Select(beam => $"{{{string.Join(',', beam.Select(field => $"\"{field.Name}\":{field.Json}"))}}}");
        return $"[\n{string.Join(",\n", lines)}\n]\n";
    }

    /// <summary>The same beams as a table; a field that a beam has not is empty.</summary>
    public static string Csv()
    {
        var text = new StringBuilder().AppendJoin(',', Columns).Append('\n');

        foreach (var beam in Beams())
        {
            text.AppendJoin(',', Columns.Select(column => beam.FirstOrDefault(field => field.Name == column)?.Text)).Append('\n');
        }

        return text.ToString();
    }

    private static IEnumerable<Field[]> Beams()
    {
        var dice = new Dice(Seed);

        for (var storey = 1; storey <= Storeys; storey++)
        {
            for (var number = 1; number <= BeamsPerStorey; number++)
            {
                yield return Beam(dice, storey, number);
            }
        }
    }

    private static Field[] Beam(Dice dice, int storey, int number)
    {
        Field id = new("id", $"S{storey:00}-B{number:000}", IsText: true);
        var fck = storey <= 3 ? 40 : storey <= 6 ? 30 : 25;

        Field[] rest = number switch
        {
            <= 40 => Primary(dice, fck),
            <= 80 => Secondary(dice, fck),
            <= 94 => Edge(dice, fck),
            95 => Transfer(dice, fck),
            97 when storey % 3 == 0 => TooSmallForItsMoment(dice, fck),
            98 when storey % 3 == 2 => TooSmallForItsShear(dice, fck),
            99 => Mistaken(dice, storey, fck) ?? Stair(dice, fck),
            _ => Stair(dice, fck),
        };
        return [id, .. rest];
    }

    private static Field[] Primary(Dice dice, int fck)
    {
        var span = dice.Between(6.0, 8.5);
        var width = dice.Of(300, 350, 400);
        return Loaded(span, dice.Between(45, 70), width, Rounded(span * 1000 / 12, 50), fck, 500, dice.Of(8, 10), dice.Of(20, 25));
    }

    private static Field[] Secondary(Dice dice, int fck)
    {
        var span = dice.Between(4.0, 6.5);
        var width = dice.Of(230, 250);
        var depth = Rounded(span * 1000 / 14, 50);
        var flange = Rounded(700 * span / 6, 10) + width + 6 * 125;
        return
        [
            .. Loaded(span, dice.Between(24, 40), width, depth, fck, 500, 8, dice.Of(16, 20)),
            Number("flange_width", flange), Number("flange_depth", 125),
        ];
    }

    private static Field[] Edge(Dice dice, int fck)
    {
        var span = dice.Between(5.0, 7.5);
        return Loaded(span, dice.Between(28, 42), 230, Rounded(span * 1000 / 12, 50), fck, 500, 8, dice.Of(16, 20));
    }

    private static Field[] Transfer(Dice dice, int fck)
    {
        var span = dice.Between(8.0, 10.0);
        return Loaded(span, dice.Between(150, 220), 600, dice.Of(1200, 1350, 1500), fck, 500, 12, 32);
    }

    private static Field[] Stair(Dice dice, int fck) =>
        Loaded(dice.Between(2.5, 4.0), dice.Between(15, 30), dice.Of(200, 230), dice.Of(300, 350), fck, 415, 8, 16);

    private static Field[] TooSmallForItsMoment(Dice dice, int fck) =>
        Section(200, 350, dice.Between(380, 440), dice.Between(70, 100), fck, 500, 25, 8, 25);

    private static Field[] TooSmallForItsShear(Dice dice, int fck) =>
        Section(230, 350, dice.Between(40, 60), dice.Between(340, 400), fck, 500, 25, 8, 16);

    /// <summary>Beams that no one can design; null on the storeys that have none.</summary>
    private static Field[]? Mistaken(Dice dice, int storey, int fck)
    {
        var good = Stair(dice, fck);

        return storey switch
        {
            1 => With(good, new Field("width", "230x350", IsText: true)),
            4 => With(good, Number("fck", 10)),
            6 => With(good, Number("moment", -85.5)),
            7 => With(good, Number("cover", 5)),
            10 => With(good, Number("depth", 1500)),
            _ => null,
        };
    }

    private static Field[] With(Field[] beam, Field other) => [.. beam.Select(field => field.Name == other.Name ? other : field)];

    /// <param name="span">Metres; continuous over its supports.</param>
    /// <param name="load">Factored, kN/m.</param>
    private static Field[] Loaded(double span, double load, double width, double depth, double fck, double fy, double stirrup, double bar) =>
        Section(width, depth, load * span * span / 10, 0.55 * load * span, fck, fy, 30, stirrup, bar);

    private static Field[] Section(double width, double depth, double moment, double shear, double fck, double fy, double cover, double stirrup, double bar) =>
    [
        Number("width", width), Number("depth", depth), Number("moment", moment), Number("shear", shear), Number("fck", fck), Number("fy", fy),
        Number("cover", cover), Number("stirrup_dia_mm", stirrup), Number("main_bar_dia_mm", bar),
    ];

    private static Field Number(string name, double value) => new(name, value.ToString("0.#", CultureInfo.InvariantCulture), IsText: false);

    private static double Rounded(double value, double step) => Math.Ceiling(value / step) * step;

    private sealed record Field(string Name, string Text, bool IsText)
    {
        public string Json => IsText ? $"\"{Text}\"" : Text;
    }

    /// <summary>SplitMix64: the sample must not change when the framework's generator does.</summary>
    private sealed class Dice(ulong seed)
    {
        private ulong _state = seed;

        public double Between(double low, double high) => low + (high - low) * (Next() >> 11) * (1.0 / (1UL << 53));

        public double Of(params double[] choices) => choices[(int)(Next() % (ulong)choices.Length)];

        private ulong Next()
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
