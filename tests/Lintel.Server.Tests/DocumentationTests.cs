using System.Text.RegularExpressions;

namespace Lintel;

/// <summary>What people read about the server is what it is.</summary>
public sealed class DocumentationTests
{
    /// <summary>Read before there is a configuration, so it is not one of <c>.env</c>'s own.</summary>
    private const string NamesTheFile = "ENV_FILE";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public void The_example_file_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names(".env.example", "^#?([A-Z_]+)="));

    [Fact]
    public void The_operations_guide_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names("docs/operations/settings.md", @"^\| `([A-Z_]+)`").Where(name => name != NamesTheFile));

    [Fact]
    public void Every_link_between_pages_leads_somewhere()
    {
        var pages = Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(new[] { "docs", "bench", "samples" }.SelectMany(folder =>
                Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories)))
            .Where(page => !page.Contains("/bin/", StringComparison.Ordinal))
            .Select(page => Path.GetRelativePath(Repository.Root, page));
        var broken =
            from page in pages
            from link in Matches(page, @"\]\(([^)\s]+)\)")
            where !link.Contains("://", StringComparison.Ordinal) && !Exists(page, link)
            select $"{page} links to {link}";

        Assert.Equal([], broken);
    }

    private static IEnumerable<string> SettingsInCode() => Repository.SourceFiles()
        .Where(file => file.StartsWith("src/Lintel.Server/", StringComparison.Ordinal))
        .SelectMany(file => Matches(file, @"settings\.(?:Text|Number|Flag|Choice|List)(?:<[^>]+>)?\(\s*""([A-Z_]+)"""))
        .Concat(Matches("src/Lintel.Server/Platform/Configuration/SettingsReader.cs", @"(?:Text|Flag)\(""([A-Z_]+)"""))
        .Distinct()
        .Order(StringComparer.Ordinal);

    private static bool Exists(string page, string link)
    {
        var parts = link.Split('#', 2);
        var folder = Path.GetDirectoryName(page)!;
        var target = parts[0].Length == 0 ? page : Path.Combine(folder, parts[0]);
        var path = Path.Combine(Repository.Root, target);
        return parts.Length == 1 ? Path.Exists(path) : File.Exists(path) && Anchors(target).Contains(parts[1]);
    }

    /// <summary>The anchors that headings get: lower case, blanks become hyphens, other signs go.</summary>
    private static IEnumerable<string> Anchors(string page) => Matches(page, "^#+ (.+)$")
        .Select(heading => new string([.. heading.ToLowerInvariant().Replace(' ', '-').Where(c => char.IsLetterOrDigit(c) || c is '-' or '_')]));

    private static IEnumerable<string> Names(string file, string pattern) => Matches(file, pattern).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> Matches(string file, string pattern) =>
        Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, file)), pattern, RegexOptions.Multiline, Patience).Select(match => match.Groups[1].Value);
}
