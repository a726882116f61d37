using System.CommandLine;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel admin</c>: on the server's machine.</summary>
internal static class AdminCommands
{
    private const string DataVariable = "LINTEL_DATA";

    public static Command Create(GlobalOptions options) => new("admin", "Make administrators, on the machine that the server runs on.")
    {
        Make(options),
    };

    private static Command Make(GlobalOptions options)
    {
        var email = new Option<string?>("--email", "-e") { Description = "Whose account it is; asked for if left out.", HelpName = "address" };
        var name = new Option<string?>("--name") { Description = "What the person wants to be called, where the account is made.", HelpName = "name" };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from standard input." };
        var reset = new Option<bool>("--reset-password") { Description = "Give the account another password, and sign it out everywhere." };
        var force = new Option<bool>("--force") { Description = "Promote an account also if its address was never confirmed: whoever registered it becomes an administrator." };
        var data = new Option<string>("--data")
        {
            Description = $"The server's data folder. Without it: ${DataVariable}, else ./data.",
            HelpName = "folder",
            DefaultValueFactory = static _ => Environment.GetEnvironmentVariable(DataVariable) is { Length: > 0 } folder ? folder : "data",
        };
        var command = new Command("create", "Make somebody an administrator: one who has an account, or a new one. The server must be running; no network is used.")
        {
            email, name, fromInput, reset, force, data,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var address = parse.GetValue(email) ?? await Prompt.AskAsync("E-mail: ", "give --email", cancellationToken);
            var folder = parse.GetRequiredValue(data);
            using var api = LocalServer.Connect(folder, parse.GetValue(options.Verbose));
            var password = parse.GetValue(fromInput) ? await Prompt.ReadLineAsync(cancellationToken)
                : parse.GetValue(reset) ? await AskTwiceAsync(cancellationToken)
                : null;
            try
            {
                var admin = await CreateAsync(api, new(address, password, parse.GetValue(name), parse.GetValue(force)), cancellationToken);
                var what = admin switch
                {
                    { Created: true } => "A new account, and an administrator",
                    { PasswordReset: true } => "An administrator, with the new password, and signed out everywhere",
                    _ => "An administrator, with the password that the account had",
                };
                await StandardStreams.Err.WriteLineAsync(StandardStreams.Printable($"{admin.Email} is account {admin.Id}: {what.ToLowerInvariant()}."));
                return ExitCode.Ok;
            }
            catch (ServerUnreachableException failure)
            {
                throw LocalServer.Unreachable(folder, failure);
            }
        });
        return command;
    }

    private static async Task<CreatedAdmin> CreateAsync(ApiClient api, CreateAdmin wanted, CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(api, wanted, cancellationToken);
        }
        catch (CommandException refused) when (refused.Code == "VALIDATION_ERROR" && wanted.Password is null && refused.Message.Contains("password", StringComparison.Ordinal))
        {
            // There is no such account yet.
            return await SendAsync(api, wanted with { Password = await AskTwiceAsync(cancellationToken) }, cancellationToken);
        }
    }

    private static Task<CreatedAdmin> SendAsync(ApiClient api, CreateAdmin wanted, CancellationToken cancellationToken) =>
        api.PostAsync("local/admins", wanted, AdminJson.Default.CreateAdmin, AdminJson.Default.CreatedAdmin, cancellationToken);

    private static async Task<string> AskTwiceAsync(CancellationToken cancellationToken)
    {
        var password = await Prompt.AskSecretAsync("Password: ", "give it with --password-stdin", cancellationToken);
        return await Prompt.AskSecretAsync("Password again: ", "give it with --password-stdin", cancellationToken) == password
            ? password
            : throw new CommandException(ExitCode.Usage, "The two passwords differ, so nothing was done; try again.");
    }
}
