using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel activity</c>.</summary>
internal static class ActivityCommand
{
    private static readonly string[] Columns = ["time", "event", "account", "by", "address", "details", "program"];

    /// <summary>How wide each column is at least where a line is shown before the next one is known.</summary>
    private static readonly int[] Widths = [20, 24, 0, 3, 15, 0, 0];

    public static Command Create(GlobalOptions options)
    {
        var all = new Option<bool>("--all") { Description = "What happened to all accounts, as an administrator." };
        var user = new Option<string?>("--user", "-u") { Description = "What happened to one account, as an administrator: its number, or its e-mail address.", HelpName = "user" };
        var kind = new Option<string?>("--kind") { Description = "With --all or --user: only events of a kind, such as session.opened.", HelpName = "kind" };
        var limit = new Option<int?>("--limit", "-n")
        {
            Description = "How many at most; with --follow, how many from before.",
            HelpName = "count",
            CustomParser = Values.Count,
            DefaultValueFactory = static _ => 20,
        };
        var follow = new Option<bool>("--follow", "-f") { Description = "Oldest first, and then what happens from now on, until Ctrl+C." };
        var json = Pages.Json();
        var command = new Command("activity", "List what happened to your account, newest first: sign-ins, changes, and what administrators did.")
        {
            all, user, kind, limit, follow, json,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var (isAll, who, what) = (parse.GetValue(all), parse.GetValue(user), parse.GetValue(kind));
            if (isAll && who is not null)
            {
                throw new CommandException(ExitCode.Usage, "Say which: --all or --user.");
            }

            var isOwn = !isAll && who is null;
            if (isOwn && what is not null)
            {
                throw new CommandException(ExitCode.Usage, "--kind needs --all or --user, which are for administrators.");
            }

            using var api = options.Connect(parse);
            var account = who is null ? null : (await UserCommands.FindAsync(api, who, cancellationToken)).ToString(CultureInfo.InvariantCulture);
            (string Name, string? Value)[] filters = [("account_id", account), ("kind", what)];
            var path = isOwn ? "auth/activity" : "api/admin/audit";
            var isJson = parse.GetValue(json);
            var count = parse.GetValue(limit)!.Value;
            if (parse.GetValue(follow))
            {
                return await FollowAsync(api, path, filters, count, isJson, isOwn, cancellationToken);
            }

            var events = await Pages.ReadAsync(api, path, "events", count, cancellationToken, filters);
            if (isJson)
            {
                Pages.Write(events);
            }
            else
            {
                Screen.Table(Columns, events.Select(item => Cells(View(item), isOwn)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Shows the newest of what there is, and goes on behind it: nothing that happens meanwhile is missed or comes twice.</summary>
    private static async Task<int> FollowAsync(
        ApiClient api, string path, (string Name, string? Value)[] filters, int count, bool isJson, bool isOwn, CancellationToken cancellationToken)
    {
        // Taken first: where nothing matches yet, this is what nothing can happen before.
        var newest = await Pages.ReadAsync(api, path, "events", 1, cancellationToken);
        var events = await Pages.ReadAsync(api, path, "events", count, cancellationToken, filters);
        if (!isJson && !StandardStreams.OutputIsTerminal)
        {
            Screen.Table(Columns, []);
        }

        foreach (var item in Enumerable.Reverse(events))
        {
            Show(item, isJson, isOwn);
        }

        var after = events.Concat(newest).Select(static item => View(item).Id).FirstOrDefault() ?? "0";
        var query = string.Join('&', filters.Where(static filter => filter.Value is not null).Select(static filter => $"{filter.Name}={Uri.EscapeDataString(filter.Value!)}"));
        var source = new EventSource(
            $"{path}/events{(query.Length > 0 ? "?" + query : "")}",
            "The server no longer has the events that come next; `lintel activity` lists those that it has.",
            "`lintel activity` lists the rest");
        await foreach (var item in EventStream.Telling(api, source, GlobalOptions.Time).ReadAsync(after, isBroken: false, cancellationToken))
        {
            using var data = JsonDocument.Parse(item.Data);
            Show(data.RootElement, isJson, isOwn);
        }

        return ExitCode.Ok;
    }

    private static void Show(JsonElement item, bool isJson, bool isOwn)
    {
        if (isJson)
        {
            JsonLine.Write(item.GetRawText());
            return;
        }

        var cells = Cells(View(item), isOwn);
        Screen.Table([], [StandardStreams.OutputIsTerminal ? [.. cells.Select(static (cell, column) => cell.PadRight(Widths[column]))] : cells]);
    }

    private static ActivityView View(JsonElement item) => item.Deserialize(ApiJson.Default.ActivityView)!;

    private static string[] Cells(ActivityView item, bool isOwn) =>
    [
        Moment.Of(item.At),
        item.Kind,
        isOwn ? "" : Number(item.AccountId),
        item.ActorId is not { } actor ? "" : !isOwn ? Number(actor) : actor == item.AccountId ? "you" : $"account {Number(actor)}",
        item.Address ?? "",
        item.Details is { ValueKind: JsonValueKind.Object } details ? string.Join(' ', details.EnumerateObject().Select(static detail => $"{detail.Name}={Text(detail.Value)}")) : "",
        item.UserAgent ?? "",
    ];

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static string Number(long id) => id.ToString(CultureInfo.InvariantCulture);
}
