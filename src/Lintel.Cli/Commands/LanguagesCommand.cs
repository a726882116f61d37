using System.CommandLine;
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
        var json = new Option<bool>("--json") { Description = "As the server says it, in JSON." };
        var command = new Command("languages", "List the languages that the server runs.") { all, json };
        command.SetAction((parse, cancellationToken) => RunAsync(parse, options, parse.GetValue(all), parse.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, GlobalOptions options, bool all, bool json, CancellationToken cancellationToken)
    {
        using var api = options.Connect(parse);
        if (json)
        {
            await StandardStreams.Out.WriteLineAsync((await api.GetAsync("api/languages", ApiJson.Default.JsonElement, cancellationToken)).GetRawText());
            return ExitCode.Ok;
        }

        var list = await api.GetAsync("api/languages", ApiJson.Default.LanguageList, cancellationToken);
        Screen.Table(Columns, list.Languages.Where(language => all || language.Installed).Select(static language => (string[])
        [
            language.Id,
            language.Name,
            language.Version ?? language.Reason ?? "not installed",
            string.Join(", ", language.Aliases),
        ]));
        return ExitCode.Ok;
    }
}
