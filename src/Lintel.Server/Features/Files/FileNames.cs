using System.Globalization;
using System.Text;

namespace Lintel.Features.Files;

/// <summary>The names that people give to files. They are told to people again, and are never names in the server's storage.</summary>
internal static class FileNames
{
    private const int MaxBytes = 255;
    private const string Nameless = "file";

    /// <summary>The last part of a name, without what would mislead those who see it or save the file under it.</summary>
    public static string Clean(string? name)
    {
        // Some clients send the path that the file has with them, of whichever system.
        var last = (name ?? "").Split('/', '\\')[^1];
        var cleaned = new StringBuilder(last.Length);
        foreach (var rune in last.EnumerateRunes())
        {
            if (IsShown(rune) && rune.Value is not ('<' or '>' or ':' or '"' or '|' or '?' or '*'))
            {
                cleaned.Append(rune.ToString());
            }
        }

        // Neither a hidden file nor, on Windows, a name that ends elsewhere than it seems.
        var clean = cleaned.ToString();
        int length;
        do
        {
            length = clean.Length;
            clean = clean.Trim().Trim('.');
        }
        while (clean.Length != length);

        return clean.Length == 0 ? Nameless : Shorten(clean);
    }

    // Among what is not shown are the marks that turn the direction of writing around: "gpj.exe" must not read "exe.jpg".
    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
        && rune != Rune.ReplacementChar;

    /// <summary>Fits the name into what file systems take, and leaves its ending as it is.</summary>
    private static string Shorten(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= MaxBytes)
        {
            return name;
        }

        var ending = Path.GetExtension(name) is { Length: > 1 and <= 16 } extension ? extension : "";
        var room = MaxBytes - Encoding.UTF8.GetByteCount(ending);
        var kept = new StringBuilder();
        foreach (var rune in name[..^ending.Length].EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        return kept.ToString().TrimEnd('.', ' ') + ending;
    }
}
