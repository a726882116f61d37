using System.CommandLine;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel languages</c>.</summary>
internal static class LanguagesCommand
{
    private static readonly string[] Columns = ["language", "name", "version", "also called"];

    public static Command Create(GlobalOptions options)
    {
        var all = new Option<bool>("--all", "-a") { Description = "Also those that are not installed on the server, and why." };
        var json = Pages.Json();
        var command = new Command("languages", "List the languages that the server runs.") { all, json };
        command.SetAction((parse, cancellationToken) => RunAsync(parse, options, parse.GetValue(all), parse.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, GlobalOptions options, bool all, bool json, CancellationToken cancellationToken)
    {
        using var api = options.Connect(parse);
        var answer = await api.GetAsync("api/languages", ApiJson.Default.JsonElement, cancellationToken);
        var languages = Pages.Items(api, answer, "languages").Select(static item => (Item: item, View: item.Deserialize(ApiJson.Default.LanguageView)!))
            .Where(language => all || language.View.Installed);
        if (json)
        {
            Pages.Write(languages.Select(static language => language.Item));
        }
        else
        {
            Screen.Table(Columns, languages.Select(static language => Cells(language.View)));
        }

        return ExitCode.Ok;
    }

    private static string[] Cells(LanguageView language) =>
        [language.Id, language.Name, language.Version ?? language.Reason ?? "not installed", string.Join(", ", language.Aliases)];
}
