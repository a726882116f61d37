using System.CommandLine;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel keys</c>.</summary>
internal static class KeyCommands
{
    private static readonly string[] Columns = ["key", "name", "begins with", "scopes", "created", "last used", "expires"];

    public static Command Create(GlobalOptions options) => new("keys", "Make, list and revoke API keys for programs that work for you.")
    {
        List(options),
        Make(options),
        Revoke(options),
    };

    private static Command List(GlobalOptions options)
    {
        var json = Pages.Json();
        var command = new Command("list", "List your keys, newest first.") { json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var keys = await Pages.ReadAsync(api, "api/keys", "keys", int.MaxValue, cancellationToken);
            if (parse.GetValue(json))
            {
                Pages.Write(keys);
            }
            else
            {
                Screen.Table(Columns, keys.Select(static key => Cells(key.Deserialize(ApiJson.Default.ApiKeyView)!)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static string[] Cells(ApiKeyView key) =>
    [
        key.Id.ToString(),
        key.Name,
        key.Prefix,
        string.Join(' ', key.Scopes),
        Moment.Of(key.CreatedAt),
        key.LastUsedAt is { } used ? Moment.Of(used) : "never",
        key.ExpiresAt is { } end ? Moment.Of(end) : "never",
    ];

    private static Command Make(GlobalOptions options)
    {
        var name = new Argument<string>("name") { Description = "What it is for." };
        var scopes = new Option<string[]>("--scope", "-s")
        {
            Description = "What it may do: design, execute, tasks, files, chat; of an administrator also admin, tokens. May be given several times.",
            HelpName = "scope",
            Required = true,
        };
        var expires = new Option<string?>("--expires") { Description = "When it stops working: a date like 2027-01-31, or a time. Never, if left out.", HelpName = "date" };
        var rate = new Option<int?>("--rate-limit") { Description = "Requests that it may make in a window, instead of the server's limit.", HelpName = "count", CustomParser = Values.Count };
        var command = new Command("create", "Make a key. It is shown this once; the server keeps only its hash.") { name, scopes, expires, rate };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var wanted = new CreateApiKey(parse.GetRequiredValue(name), parse.GetRequiredValue(scopes), Moment.Parse(parse.GetValue(expires)), parse.GetValue(rate));
            var key = await api.PostAsync("api/keys", wanted, ApiJson.Default.CreateApiKey, ApiJson.Default.CreatedApiKey, cancellationToken);
            await StandardStreams.Out.WriteLineAsync(key.Key);
            await StandardStreams.Err.WriteLineAsync($"Keep it now: it cannot be shown again. `lintel keys revoke {key.Id}` ends it.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Revoke(GlobalOptions options)
    {
        var id = new Argument<Guid>("key") { Description = "The key's id, from `lintel keys list`.", CustomParser = Values.Id };
        var command = new Command("revoke", "Revoke a key. It is refused from now on.") { id };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            await api.DeleteAsync($"api/keys/{parse.GetRequiredValue(id)}", cancellationToken);
            await StandardStreams.Err.WriteLineAsync("Revoked.");
            return ExitCode.Ok;
        });
        return command;
    }
}
