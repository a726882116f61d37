using System.Buffers;
using System.Globalization;

namespace Lintel.Features.Accounts;

/// <summary>E-mail addresses as people use them: no quoted names, no comments, a domain with a dot.</summary>
internal static class EmailAddress
{
    public const int MaxLength = 254;

    private const int MaxLocal = 64;
    private const int MaxLabel = 63;

    // RFC 5321's atom characters; letters of other scripts are allowed beside them (RFC 6531).
    private static readonly SearchValues<char> Atom =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-.");

    public static bool IsValid(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= MaxLength && at > 0 && IsLocal(text.AsSpan(0, at)) && IsDomain(text.AsSpan(at + 1));
    }

    /// <summary>What addresses are compared by: nobody has two accounts that differ in case alone.</summary>
    public static string Normalize(string text) => text.Trim().ToLowerInvariant();

    private static bool IsLocal(ReadOnlySpan<char> local)
    {
        if (local.Length > MaxLocal || local[0] == '.' || local[^1] == '.' || local.IndexOf("..", StringComparison.Ordinal) >= 0)
        {
            return false;
        }

        foreach (var c in local)
        {
            if (!Atom.Contains(c) && !IsForeignLetter(c))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        var labels = 0;
        foreach (var range in domain.Split('.'))
        {
            labels++;
            if (!IsLabel(domain[range]))
            {
                return false;
            }
        }

        return labels >= 2;
    }

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-')
        {
            return false;
        }

        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-' && !IsForeignLetter(c))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsForeignLetter(char c) =>
        c >= 0x80 && (char.IsLetterOrDigit(c) || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);
}
