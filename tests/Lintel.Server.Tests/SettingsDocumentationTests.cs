using System.Text.RegularExpressions;

namespace Lintel;

/// <summary>What an operator reads about settings is what the server reads.</summary>
public sealed class SettingsDocumentationTests
{
    /// <summary>Read before there is a configuration, so it is not one of <c>.env</c>'s own.</summary>
    private const string NamesTheFile = "ENV_FILE";

    [Fact]
    public void The_example_file_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names(".env.example", "^#?([A-Z_]+)="));

    [Fact]
    public void The_operations_guide_lists_every_setting_and_no_other() =>
        Assert.Equal(SettingsInCode(), Names("docs/operations/settings.md", @"^\| `([A-Z_]+)`").Where(name => name != NamesTheFile));

    private static IEnumerable<string> SettingsInCode() => Repository.SourceFiles()
        .Where(file => file.StartsWith("src/Lintel.Server/", StringComparison.Ordinal))
        .SelectMany(file => Matches(file, @"settings\.(?:Text|Number|Flag|Choice|List)(?:<[^>]+>)?\(\s*""([A-Z_]+)"""))
        .Concat(Matches("src/Lintel.Server/Platform/Configuration/SettingsReader.cs", @"(?:Text|Flag)\(""([A-Z_]+)"""))
        .Distinct()
        .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Names(string file, string pattern) => Matches(file, pattern).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> Matches(string file, string pattern) =>
        Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, file)), pattern, RegexOptions.Multiline, TimeSpan.FromSeconds(5))
            .Select(match => match.Groups[1].Value);
}
