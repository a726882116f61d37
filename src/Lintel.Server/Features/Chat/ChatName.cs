using System.Globalization;
using System.Text;
using Lintel.Platform.Errors;

namespace Lintel.Features.Chat;

/// <summary>A name that people see: a display name, or a room's.</summary>
/// <param name="Text">As it was given.</param>
/// <param name="Key">What names are compared by: two that differ in case alone are one.</param>
internal readonly record struct ChatName(string Text, string Key)
{
    public const int MaxLength = 64;

    // What stands after /ws/ elsewhere: a name that nobody could open the lobby with, or that looks like a part of the server.
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal) { "design", "execute", "jobs", "notifications", "rooms" };

    public bool IsReserved => Reserved.Contains(Key);

    /// <summary>Takes 1 to 64 visible characters without white space around them; what changes the direction or hides itself is no character of a name.</summary>
    public static bool TryParse(string? text, out ChatName name)
    {
        name = default;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength * 2 || text.Trim().Length != text.Length)
        {
            return false;
        }

        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            var category = Rune.GetUnicodeCategory(rune);
            if (rune == Rune.ReplacementChar || !IsVisible(category) || IsInvisible(rune.Value) || (length == 1 && IsMark(category)))
            {
                return false;
            }
        }

        // One that would end up in a path, or look like another with other blanks.
        if (text.AsSpan().ContainsAny("/\\") || text is "." or ".." || text.Contains("  ", StringComparison.Ordinal))
        {
            return false;
        }

        name = new ChatName(text, text.ToLowerInvariant());
        return length <= MaxLength;
    }

    public static ErrorResult Invalid(string field) => ApiErrors.Invalid(
        field,
        string.Create(CultureInfo.InvariantCulture, $"Must be a name of 1 to {MaxLength} visible characters, without white space around it; {string.Join(", ", Reserved.Order(StringComparer.Ordinal))} are reserved."));

    /// <summary>Characters of visible categories that show nothing, and blanks other than the plain one.</summary>
    private static bool IsInvisible(int rune) => rune is
        0xA0 or 0xAD or 0x34F or 0x115F or 0x1160 or 0x1680 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F
        or 0x2800 or 0x3000 or 0x3164 or (>= 0xFE00 and <= 0xFE0F) or 0xFFA0 or (>= 0xE0100 and <= 0xE01EF);

    private static bool IsMark(UnicodeCategory category) => category is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static bool IsVisible(UnicodeCategory category) => category is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
