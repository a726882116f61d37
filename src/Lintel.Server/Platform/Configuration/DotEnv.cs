using System.Globalization;
using System.Text;

namespace Lintel.Platform.Configuration;

/// <summary>Reads <c>.env</c> files: <c>KEY=VALUE</c> lines, optionally with <c>export</c>, quotes and comments. Nothing is expanded.</summary>
internal static class DotEnv
{
    /// <summary>The settings of <paramref name="path"/>; none where there is no such file.</summary>
    /// <exception cref="InvalidSettingsException">Some lines cannot be understood; they are named by number, their text is not repeated.</exception>
    public static Dictionary<string, string?> ReadFile(string path)
    {
        try
        {
            return File.Exists(path) ? Parse(File.ReadAllLines(path), path) : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InvalidSettingsException([$"{path} is there but cannot be read: make it readable for this user, or remove it."]);
        }
    }

    public static Dictionary<string, string?> Parse(IEnumerable<string> lines, string source)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var errors = new List<string>();
        var number = 0;
        foreach (var raw in lines)
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (TryParse(line, out var name, out var value))
            {
                settings[name] = value;
            }
            else
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{source} line {number} is not KEY=VALUE (or a quote in it is not closed)."));
            }
        }

        return errors.Count == 0 ? settings : throw new InvalidSettingsException(errors);
    }

    private static bool TryParse(string line, out string name, out string? value)
    {
        value = null;
        if (line.StartsWith("export ", StringComparison.Ordinal))
        {
            line = line["export ".Length..];
        }

        var equals = line.IndexOf('=', StringComparison.Ordinal);
        name = equals > 0 ? line[..equals].Trim() : "";
        if (name.Length == 0 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':'))
        {
            return false;
        }

        // A double underscore nests, as in environment variables.
        name = name.Replace("__", ":", StringComparison.Ordinal);
        var rest = line[(equals + 1)..].Trim();
        value = rest.Length == 0 ? "" : rest[0] switch
        {
            '\'' => Literal(rest),
            '"' => Escaped(rest),
            _ => Plain(rest),
        };
        return value is not null;
    }

    private static string Plain(string text)
    {
        // A # inside a word belongs to the value (passwords have them); after a blank it begins a comment.
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '#' && (i == 0 || char.IsWhiteSpace(text[i - 1])))
            {
                return text[..i].TrimEnd();
            }
        }

        return text;
    }

    private static string? Literal(string text)
    {
        var end = text.IndexOf('\'', 1);
        return end > 0 && IsCommentOrNothing(text[(end + 1)..]) ? text[1..end] : null;
    }

    private static string? Escaped(string text)
    {
        var value = new StringBuilder();
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"':
                    return IsCommentOrNothing(text[(i + 1)..]) ? value.ToString() : null;
                case '\\' when i + 1 < text.Length:
                    i++;
                    value.Append(text[i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', var other => other });
                    break;
                default:
                    value.Append(text[i]);
                    break;
            }
        }

        return null;
    }

    private static bool IsCommentOrNothing(string text) => text.Trim() is "" or ['#', ..];
}
