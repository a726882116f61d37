using System.Text.RegularExpressions;

namespace Lintel;

/// <summary>What people read about the server is what it is.</summary>
public sealed class DocumentationTests
{
    /// <summary>Read before there is a configuration, so it is not one of <c>.env</c>'s own.</summary>
    private const string NamesTheFile = "ENV_FILE";

    private const string Guide = "docs/operations/settings.md";
    private const string Example = ".env.example";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public void The_example_file_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names(Example, "^#?([A-Z_]+)="));

    [Fact]
    public void The_operations_guide_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names(Guide, @"^\| `([A-Z_]+)`").Where(name => name != NamesTheFile));

    [Fact]
    public void The_guide_and_the_example_file_tell_each_numbers_default_and_range()
    {
        var wrong =
            from number in NumbersInCode()
            let row = Assert.Single(Matches(Guide, $@"^(\| `{number.Name}` .*)$"))
            from told in new[]
            {
                (File: Guide, Text: row, Fact: $"{number.Least} to {number.Most}"),
                (File: Guide, Text: row, Fact: number.Default is { } value ? $"| `{value}` |" : ""),
                (File: Example, Text: string.Concat(Matches(Example, $"^(#{number.Name}=.*)$")), Fact: number.Default is { } same ? $"#{number.Name}={same}" : ""),
            }
            where !told.Text.Contains(told.Fact, StringComparison.Ordinal)
            select $"{told.File} does not say of {number.Name}: {told.Fact}";

        Assert.Equal([], wrong);
    }

    [Fact]
    public void The_guide_and_the_example_file_tell_each_texts_default()
    {
        var defaults = ServerFiles().SelectMany(file => AllMatches(file, @"settings\.Text\(""([A-Z_]+)""\) \?\? ""([^""]+)""")).ToArray();
        var wrong =
            from found in defaults
            let name = found.Groups[1].Value
            let value = found.Groups[2].Value
            where !Matches(Guide, $@"^\| `{name}` \| `([^`]+)` \|").Contains(value) || !Matches(Example, $"^#{name}=(.*)$").Contains(value)
            select $"{name} is {value} by default";

        Assert.NotEmpty(defaults);
        Assert.Equal([], wrong);
    }

    [Fact]
    public void The_page_of_errors_explains_every_code_and_no_other() =>
        Assert.Equal(
            Names("src/Lintel.Server/Platform/Errors/ErrorCodes.cs", @"const string \w+ = ""([A-Z_]+)"""),
            Names("docs/api/errors.md", @"^(?:\| \d{3} \| )?`([A-Z_]+)`"));

    [Fact]
    public void The_page_of_activity_lists_every_kind_and_no_other() =>
        Assert.Equal(
            Names("src/Lintel.Server/Features/Accounts/Audit/AccountEvents.cs", @"const string \w+ = ""([a-z_.]+)"""),
            Names("docs/guide/activity.md", @"^\| `([a-z_]+\.[a-z_]+)` \|"));

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

    private static IEnumerable<string> ServerFiles() => Repository.SourceFiles().Where(file => file.StartsWith("src/Lintel.Server/", StringComparison.Ordinal));

    /// <summary>The numbers that options read. The default is null where it is worked out when the server starts.</summary>
    private static (string Name, string? Default, string Least, string Most)[] NumbersInCode()
    {
        var calls = ServerFiles().Sum(file => AllMatches(file, @"settings\.Number\(").Count);
        var numbers = ServerFiles().SelectMany(file => AllMatches(file, @"settings\.Number\(""([A-Z_]+)"", (.+), ([\d_]+), ([\d_]+)\)"))
            .Select(match => (match.Groups[1].Value, Plain(match.Groups[2].Value), Plain(match.Groups[3].Value)!, Plain(match.Groups[4].Value)!))
            .ToArray();

        // Else one is written in a way that this test does not see.
        Assert.Equal(calls, numbers.Length);
        return numbers;

        static string? Plain(string literal) => literal.All(c => char.IsAsciiDigit(c) || c == '_') ? literal.Replace("_", "", StringComparison.Ordinal) : null;
    }

    private static IEnumerable<string> SettingsInCode() => ServerFiles()
        .SelectMany(file => Matches(file, @"settings\.(?:Text|Number|Flag|Choice|List|Networks)(?:<[^>]+>)?\(\s*""([A-Z_]+)"""))
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

    private static IEnumerable<string> Matches(string file, string pattern) => AllMatches(file, pattern).Select(match => match.Groups[1].Value);

    private static MatchCollection AllMatches(string file, string pattern) =>
        Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, file)), pattern, RegexOptions.Multiline, Patience);
}
