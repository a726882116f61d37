using System.CommandLine;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel sessions</c>.</summary>
internal static class SessionCommands
{
    private static readonly string[] Columns = ["session", "device", "address", "signed in", "last used", "by", ""];

    public static Command Create(GlobalOptions options) => new("sessions", "List and end your sessions: where you are signed in, on this machine and elsewhere.")
    {
        List(options),
        Revoke(options),
    };

    private static Command List(GlobalOptions options)
    {
        var json = Pages.Json();
        var command = new Command("list", "List your sessions, the one used last first.") { json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var sessions = await Pages.ReadAsync(api, "auth/sessions", "sessions", int.MaxValue, cancellationToken);
            if (parse.GetValue(json))
            {
                Pages.Write(sessions);
            }
            else
            {
                Screen.Table(Columns, sessions.Select(static session => Cells(session.Deserialize(ApiJson.Default.SessionView)!)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static string[] Cells(SessionView session) =>
    [
        session.Id.ToString(),
        session.Device,
        session.Address ?? "",
        Moment.Of(session.CreatedAt),
        Moment.Of(session.LastUsedAt),
        string.Join(' ', session.Methods),
        session.Current ? "this one" : "",
    ];

    private static Command Revoke(GlobalOptions options)
    {
        var id = new Argument<Guid?>("session")
        {
            Description = "The session's id, from `lintel sessions list`.",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = static result => result.Tokens.Count == 0 ? null : Values.Id(result),
        };
        var others = new Option<bool>("--others") { Description = "All but this one." };
        var all = new Option<bool>("--all") { Description = "All, and this one too." };
        var command = new Command("revoke", "End a session, all others, or all. Their tokens are refused from now on, and what they have open is closed.") { id, others, all };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var session = parse.GetValue(id);
            var (isOthers, isAll) = (parse.GetValue(others), parse.GetValue(all));
            if ((session is null ? 0 : 1) + (isOthers ? 1 : 0) + (isAll ? 1 : 0) != 1)
            {
                throw new CommandException(ExitCode.Usage, "Say which: a session's id, --others or --all.");
            }

            using var api = options.Connect(parse);
            if (session is { } one)
            {
                await api.DeleteAsync($"auth/sessions/{one}", cancellationToken);
                await StandardStreams.Err.WriteLineAsync("Ended.");
                return ExitCode.Ok;
            }

            var ended = await api.DeleteAsync(isAll ? "auth/sessions" : "auth/sessions?except=current", ApiJson.Default.EndedSessions, cancellationToken);
            await StandardStreams.Err.WriteLineAsync($"Ended: {ended.Ended}.");
            return ExitCode.Ok;
        });
        return command;
    }
}
