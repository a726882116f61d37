using System.Globalization;

namespace Lintel.Features.Beams.Reports;

/// <summary>The columns that a table of beams may have. One that is only misspelt would be designed with a default in its place, so none may be unknown.</summary>
internal static class BeamColumns
{
    // A table of a million columns must not become an answer as long as itself.
    private const int MostNamed = 10;
    private const int LongestNamed = 40;

    /// <summary>Those that name a beam.</summary>
    public static readonly string[] Identifiers = ["id", "beam_id", "member_id"];

    private static readonly string[] Known = [.. Identifiers, .. Enum.GetValues<BeamParameter>().Select(static parameter => BeamParameterRule.Of(parameter).Name)];

    /// <summary>Holds a header against what a beam may have, in the case that the service takes.</summary>
    /// <param name="line">Where the header is, from 1.</param>
    /// <returns>What is wrong with it; null where nothing is.</returns>
    public static string? Check(IReadOnlyList<string> header, int line)
    {
        if (header.GroupBy(static name => name, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } twice)
        {
            return twice.Key.Length == 0 ? $"Line {line} has columns without a name; name them or take them out." : $"There are two columns named '{Shorten(twice.Key)}'.";
        }

        if (header.Contains(""))
        {
            return $"Line {line} has a column without a name; name it or take it out.";
        }

        var unknown = header.Except(Known, StringComparer.Ordinal).ToList();
        return unknown.Count switch
        {
            0 => null,
            1 when Nearest(unknown[0]) is { } near => $"Line {line} names a column '{Shorten(unknown[0])}' that no beam has; did you mean {near}?",
            1 => $"Line {line} names a column '{Shorten(unknown[0])}' that no beam has; take it out, or name it as one of {string.Join(", ", Known)}.",
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"Line {line} names columns that no beam has: {string.Join(", ", unknown.Take(MostNamed).Select(Describe))}{(unknown.Count > MostNamed ? $" and {unknown.Count - MostNamed} more" : "")}. A beam has {string.Join(", ", Known)}."),
        };
    }

    private static string Describe(string name) => Nearest(name) is { } near ? $"'{Shorten(name)}' (did you mean {near}?)" : $"'{Shorten(name)}'";

    private static string Shorten(string name) => name.Length <= LongestNamed ? name : name[..LongestNamed] + "…";

    /// <summary>The column that was most likely meant; null where none is near.</summary>
    private static string? Nearest(string name)
    {
        // One or two letters are a symbol, such as D or Df, and as near to another one as to what it stands for.
        if (name.Length is < 3 or > LongestNamed)
        {
            return null;
        }

        var near = Known.MinBy(known => Distance(name, known))!;
        return Distance(name, near) <= name.Length / 3 ? near : null;
    }

    /// <summary>How many letters must be put in, taken out, changed or swapped with the next one, whatever their case.</summary>
    private static int Distance(string from, string to)
    {
        var distances = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                distances[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(
                    Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1,
                    distances[i - 1, j - 1] + (IsSame(from[i - 1], to[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && IsSame(from[i - 1], to[j - 2]) && IsSame(from[i - 2], to[j - 1]))
                {
                    distances[i, j] = Math.Min(distances[i, j], distances[i - 2, j - 2] + 1);
                }
            }
        }

        return distances[from.Length, to.Length];
    }

    private static bool IsSame(char one, char other) => char.ToLowerInvariant(one) == char.ToLowerInvariant(other);
}
