using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;
using Lintel.Cli.Users;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel users</c>: for administrators.</summary>
internal static class UserCommands
{
    private static readonly string[] Columns = ["user", "e-mail", "name", "role", "state", "created"];

    public static Command Create(GlobalOptions options) => new("users", "List, disable, sign out, delete and import accounts, as an administrator.")
    {
        List(options),
        Change(options, "disable", "Keep a person from signing in. Their sessions end, and their API keys are revoked.", "Disabled"),
        Change(options, "enable", "Let a person sign in again.", "Enabled"),
        Change(options, "sign-out", "End all sessions of a person.", "Signed out"),
        RemoveFactors(options),
        Delete(options),
        Import(options),
    };

    private static Command List(GlobalOptions options)
    {
        var search = new Option<string?>("--search", "-s") { Description = "Only those whose e-mail address begins with this, or whose name has it.", HelpName = "text" };
        var role = new Option<string?>("--role") { Description = "Only those who are user or admin.", HelpName = "role" };
        var state = new Option<string?>("--state") { Description = "Only those that are active, disabled or deleting.", HelpName = "state" };
        var limit = new Option<int?>("--limit", "-n") { Description = "How many at most.", HelpName = "count", CustomParser = Values.Count, DefaultValueFactory = static _ => 50 };
        var json = Pages.Json();
        var command = new Command("list", "List accounts, newest first.") { search, role, state, limit, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var users = await Pages.ReadAsync(
                api, "api/admin/users", "users", parse.GetValue(limit)!.Value, cancellationToken,
                ("q", parse.GetValue(search)), ("role", parse.GetValue(role)), ("state", parse.GetValue(state)));
            if (parse.GetValue(json))
            {
                Pages.Write(users);
            }
            else
            {
                Screen.Table(Columns, users.Select(static user => Cells(user.Deserialize(AdminJson.Default.UserView)!)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Change(GlobalOptions options, string verb, string description, string done)
    {
        var user = Who();
        var reason = Reason();
        var command = new Command(verb, description) { user, reason };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var id = await FindAsync(api, parse.GetRequiredValue(user), cancellationToken);
            await api.PostAsync(
                $"api/admin/users/{id}/{verb}", new(parse.GetValue(reason)), AdminJson.Default.AdminReason, AdminJson.Default.JsonElement, cancellationToken);
            await StandardStreams.Err.WriteLineAsync($"{done}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command RemoveFactors(GlobalOptions options)
    {
        var user = Who();
        var reason = Reason();
        var command = new Command("remove-factors", "Remove the second factors of a person who lost them. The password is enough again, their sessions end, and they are told by mail.")
        {
            user, reason,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var id = await FindAsync(api, parse.GetRequiredValue(user), cancellationToken);
            var removed = await api.DeleteAsync(
                $"api/admin/users/{id}/second-factors{Query(parse.GetValue(reason))}", AdminJson.Default.RemovedFactors, cancellationToken);
            await StandardStreams.Err.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"Second factors removed: {(removed.Totp ? 1 : 0) + removed.Passkeys}; sessions ended: {removed.Sessions}."));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Query(string? reason) => reason is null ? "" : $"?reason={Uri.EscapeDataString(reason)}";

    private static Command Delete(GlobalOptions options)
    {
        var user = Who();
        var reason = Reason();
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var command = new Command("delete", "Delete an account with all its data. It cannot be undone.") { user, reason, yes };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var given = parse.GetRequiredValue(user);
            var id = await FindAsync(api, given, cancellationToken);
            if (!parse.GetValue(yes)
                && await Prompt.AskAsync($"Account {id} and all its data will be gone. Type {given} to go on: ", "add --yes", cancellationToken) != given)
            {
                throw new CommandException(ExitCode.Usage, "That was something else, so nothing was deleted.");
            }

            await api.DeleteAsync($"api/admin/users/{id}{Query(parse.GetValue(reason))}", cancellationToken);
            await StandardStreams.Err.WriteLineAsync("Deleted: nobody can use it any more, and its data is being removed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Import(GlobalOptions options)
    {
        var file = new Argument<string>("file") { Description = "A CSV table: email, name, password_hash (bcrypt), created_at, is_active, email_verified, role; - for standard input." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what would come of it." };
        var json = new Option<bool>("--json") { Description = "One JSON object a line: each line that was not taken, then the sum." };
        var command = new Command("import", "Take the accounts of another system over, with their passwords. What is there already stays as it is.") { file, dryRun, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            using var input = UserFile.Open(parse.GetRequiredValue(file));
            using var interruption = new Interruption(cancellationToken);
            try
            {
                return await new UserImport(api, parse.GetValue(dryRun), parse.GetValue(json)).RunAsync(input, interruption.Token);
            }
            catch (OperationCanceledException) when (interruption.Signal is { } signal)
            {
                return 128 + signal;
            }
        });
        return command;
    }

    private static Argument<string> Who() => new("user") { Description = "The account's number, or its e-mail address." };

    private static Option<string?> Reason() => new("--reason", "-r") { Description = "Why: it goes into the audit, where the account's owner can read it.", HelpName = "text" };

    /// <summary>The number of an account that was given by number or address.</summary>
    public static async Task<long> FindAsync(ApiClient api, string user, CancellationToken cancellationToken)
    {
        if (long.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return id;
        }

        var found = await Pages.ReadAsync(api, "api/admin/users", "users", int.MaxValue, cancellationToken, ("q", user));
        return found.Select(static item => item.Deserialize(AdminJson.Default.UserView)!)
            .FirstOrDefault(item => item.Email.Equals(user, StringComparison.OrdinalIgnoreCase))?.Id
            ?? throw new CommandException(ExitCode.NoInput, $"There is no account with the e-mail address {StandardStreams.Printable(user)}.");
    }

    private static string[] Cells(UserView user) =>
    [
        user.Id.ToString(CultureInfo.InvariantCulture),
        user.Email,
        user.Name ?? "",
        user.Role,
        user.State,
        Moment.Of(user.CreatedAt),
    ];
}
