using System.Globalization;
using System.Text;

namespace Lintel.Bench;

/// <summary>Ordinary beams of ordinary buildings, no two alike and the same ones in every run.</summary>
internal static class Beams
{
    public static string ArrayOf(int count)
    {
        var random = new Random(456);
        var json = new StringBuilder("[");
        for (var i = 0; i < count; i++)
        {
            json.Append(i == 0 ? "" : ",").Append(One(random, $"B{i + 1}"));
        }

        return json.Append(']').ToString();
    }

    public static string DesignMessage() => $$"""{"type":"design_beam","params":{{One(new Random(456), "B1")}}}""";

    private static string One(Random random, string id)
    {
        var width = 230 + (10 * random.Next(18));
        var depth = 400 + (25 * random.Next(17));
        var moment = Math.Round(40 + (random.NextDouble() * 260), 1);
        var shear = Math.Round(30 + (random.NextDouble() * 170), 1);
        var fck = 20 + (5 * random.Next(5));
        var fy = random.Next(2) == 0 ? 415 : 500;
        var cover = 25 + (5 * random.Next(4));
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"id":"{{id}}","width":{{width}},"depth":{{depth}},"moment":{{moment}},"shear":{{shear}},"fck":{{fck}},"fy":{{fy}},"cover":{{cover}}}""");
    }
}
