using System.CommandLine;
using Lintel.Cli.Accounts;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel login</c>, <c>logout</c> and <c>whoami</c>.</summary>
internal static class AccountCommands
{
    public static Command Login(GlobalOptions options)
    {
        var email = new Option<string?>("--email", "-e") { Description = "Your e-mail address; asked for if left out.", HelpName = "address" };
        var fromInput = new Option<bool>("--password-stdin")
        {
            Description = "Read the password (or, with --api-key, the key) from standard input; a code, where the server wants one, is the second line.",
        };
        var apiKey = new Option<bool>("--api-key") { Description = "Sign in with an API key instead of a password. It is asked for, and never part of a command line." };
        var register = new Option<bool>("--register") { Description = "Make a new account first." };
        var name = new Option<string?>("--name") { Description = "With --register: what you want to be called.", HelpName = "name" };
        var remember = new Option<bool>("--remember-device")
        {
            Description = "Let the server remember this machine for 30 days, or until `lintel logout`: it asks for no code then, and guesses made elsewhere do not slow you down.",
        };
        var command = new Command("login", "Sign in to a server.") { email, fromInput, apiKey, register, name, remember };
        command.SetAction((parse, cancellationToken) => parse.GetValue(apiKey)
            ? LoginWithKeyAsync(parse, options, parse.GetValue(fromInput), cancellationToken)
            : LoginAsync(parse, options, parse.GetValue(email), parse.GetValue(fromInput), parse.GetValue(register), parse.GetValue(name), parse.GetValue(remember), cancellationToken));
        return command;
    }

    public static Command Logout(GlobalOptions options)
    {
        var command = new Command("logout", "Sign out of a server: the session ends, and all its credentials are deleted from this machine, also those by which the server remembers it.");
        command.SetAction((parse, cancellationToken) => LogoutAsync(parse, options, cancellationToken));
        return command;
    }

    public static Command WhoAmI(GlobalOptions options)
    {
        var json = new Option<bool>("--json") { Description = "As the server says it, in JSON." };
        var command = new Command("whoami", "Show who you are signed in as, and where.") { json };
        command.SetAction((parse, cancellationToken) => WhoAmIAsync(parse, options, parse.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> LoginAsync(
        ParseResult parse, GlobalOptions options, string? email, bool fromInput, bool register, string? name, bool remember, CancellationToken cancellationToken)
    {
        var store = new CredentialStore();
        using var api = options.ConnectToSignIn(parse, store);
        email ??= fromInput
            ? throw new CommandException(ExitCode.Usage, "--password-stdin needs --email too.")
            : await Prompt.AskAsync("E-mail: ", "give --email and --password-stdin", cancellationToken);
        var password = fromInput
            ? await Prompt.ReadLineAsync(cancellationToken)
            : await Prompt.AskSecretAsync("Password: ", "give it with --password-stdin", cancellationToken);
        if (register)
        {
            // Nobody saw what was typed.
            if (!fromInput && await Prompt.AskSecretAsync("Password again: ", "give it with --password-stdin", cancellationToken) != password)
            {
                throw new CommandException(ExitCode.Usage, "The two passwords differ, so no account was made; try again.");
            }

            await RegisterAsync(api, new RegisterRequest(email, password, name), cancellationToken);
        }

        var stored = store.Read();
        var before = stored.Servers.GetValueOrDefault(api.Address.ToString());
        var device = stored.DeviceOf(api.Address.ToString(), email);
        var pair = await SignInAsync(api, new LoginRequest(email, password, device, remember), fromInput, cancellationToken);
        var signIn = new StoredSignIn
        {
            Email = email,
            AccessToken = pair.AccessToken,
            RefreshToken = pair.RefreshToken,
            ExpiresAt = GlobalOptions.Time.GetUtcNow().AddSeconds(pair.ExpiresIn),
            Insecure = parse.GetValue(options.Insecure),
        };
        await store.SetAsync(api.Address.ToString(), signIn, pair.DeviceToken, cancellationToken);
        await EndAsync(api, before, cancellationToken);
        await StandardStreams.Err.WriteLineAsync($"Signed in to {api.Address} as {StandardStreams.Printable(email)}.");
        return ExitCode.Ok;
    }

    /// <summary>Signs in, with a second factor where the server asks for one.</summary>
    private static async Task<TokenPair> SignInAsync(ApiClient api, LoginRequest signIn, bool fromInput, CancellationToken cancellationToken)
    {
        try
        {
            return await api.PostAsync("auth/login", signIn, ApiJson.Default.LoginRequest, ApiJson.Default.TokenPair, cancellationToken);
        }
        catch (CommandException refused) when (refused.Challenge is { } challenge)
        {
            var (takesCodes, takesRecoveryCodes) = (challenge.Methods.Contains("totp"), challenge.Methods.Contains("recovery_code"));
            if (!takesCodes && !takesRecoveryCodes)
            {
                throw new CommandException(refused.ExitCode, "This account signs in with a passkey, which takes a browser; use an API key here: `lintel login --api-key`.", refused.Detail, refused);
            }

            return await AnswerAsync(api, challenge, await AskForCodeAsync(takesCodes, fromInput, cancellationToken), signIn.RememberDevice, cancellationToken);
        }
    }

    private static async Task<string> AskForCodeAsync(bool takesCodes, bool fromInput, CancellationToken cancellationToken)
    {
        if (!fromInput)
        {
            return await Prompt.AskAsync(takesCodes ? "Code (of your app, or a recovery code): " : "Recovery code: ", "give it as the second line, with --password-stdin", cancellationToken);
        }

        var code = await Prompt.ReadLineAsync(cancellationToken);
        return code.Length > 0
            ? code
            : throw new CommandException(ExitCode.NotAllowed, "The server wants a second factor too; give a code as the second line of standard input, or sign in on a terminal.");
    }

    /// <summary>Six digits are a code of the app; all else is a recovery code, which is longer.</summary>
    private static async Task<TokenPair> AnswerAsync(ApiClient api, Challenge challenge, string code, bool remember, CancellationToken cancellationToken)
    {
        var isOfApp = code.Count(char.IsAsciiDigit) == 6 && code.All(static character => char.IsAsciiDigit(character) || character == ' ');
        var answer = new ChallengeAnswer(challenge.Token, isOfApp ? code : null, isOfApp ? null : code, remember);
        try
        {
            return await api.PostAsync("auth/2fa", answer, ApiJson.Default.ChallengeAnswer, ApiJson.Default.TokenPair, cancellationToken);
        }
        catch (CommandException refused) when (refused.Code == "AUTH_INVALID_CREDENTIALS")
        {
            throw new CommandException(refused.ExitCode, "The code is wrong, or was used already; wait for the next one and try again.", refused.Detail, refused);
        }
    }

    private static async Task RegisterAsync(ApiClient api, RegisterRequest account, CancellationToken cancellationToken)
    {
        try
        {
            await api.PostAsync("auth/register", account, ApiJson.Default.RegisterRequest, ApiJson.Default.AccountView, cancellationToken);
        }
        catch (CommandException refused) when (refused.Code == "CONFLICT")
        {
            throw new CommandException(refused.ExitCode, "There is an account with this e-mail address already; leave out --register to sign in to it.", refused.Detail, refused);
        }
    }

    private static async Task<int> LoginWithKeyAsync(ParseResult parse, GlobalOptions options, bool fromInput, CancellationToken cancellationToken)
    {
        var store = new CredentialStore();
        using var api = options.ConnectToSignIn(parse, store);
        var key = fromInput || !StandardStreams.InputIsTerminal
            ? await Prompt.ReadLineAsync(cancellationToken)
            : await Prompt.AskSecretAsync("API key: ", "give it with --password-stdin", cancellationToken);
        var signIn = new StoredSignIn { ApiKey = key.Trim(), Insecure = parse.GetValue(options.Insecure) };
        api.Credentials = Credentials.Of(api, store, signIn, GlobalOptions.Time);
        await api.GetAsync("api/jobs?limit=1", ApiJson.Default.JobList, cancellationToken);
        var before = store.Read().Servers.GetValueOrDefault(api.Address.ToString());
        await store.SetAsync(api.Address.ToString(), signIn, null, cancellationToken);
        await EndAsync(api, before, cancellationToken);
        await StandardStreams.Err.WriteLineAsync($"Signed in to {api.Address} with an API key.");
        return ExitCode.Ok;
    }

    private static async Task<int> LogoutAsync(ParseResult parse, GlobalOptions options, CancellationToken cancellationToken)
    {
        var store = new CredentialStore();
        var address = options.FindServer(parse, store);
        if (!store.Read().Servers.TryGetValue(address.ToString(), out var signIn))
        {
            await StandardStreams.Err.WriteLineAsync($"You were not signed in to {address}.");
            return ExitCode.Ok;
        }

        await store.ForgetAsync(address.ToString(), cancellationToken);
        using var api = new ApiClient(address, parse.GetValue(options.Verbose));
        await EndAsync(api, signIn, cancellationToken);
        await StandardStreams.Err.WriteLineAsync($"Signed out of {address}.");
        return ExitCode.Ok;
    }

    /// <summary>Ends a session at the server. Here it is forgotten already, so a server that is away does not keep anybody signed in.</summary>
    private static async Task EndAsync(ApiClient api, StoredSignIn? signIn, CancellationToken cancellationToken)
    {
        if (signIn?.RefreshToken is not { } token)
        {
            return;
        }

        try
        {
            using var ending = new ApiClient(api.Address, verbose: false);
            await ending.PostAsync("auth/logout", new RefreshRequest(token), ApiJson.Default.RefreshRequest, ApiJson.Default.JsonElement, cancellationToken);
        }
        catch (Exception failure) when (failure is ServerUnreachableException or CommandException)
        {
            StandardStreams.Tell($"{api.Address} could not be told, so the former session lasts until its tokens expire.");
        }
    }

    private static async Task<int> WhoAmIAsync(ParseResult parse, GlobalOptions options, bool isJson, CancellationToken cancellationToken)
    {
        using var api = options.Connect(parse);
        if (isJson)
        {
            JsonLine.Write((await api.GetAsync("auth/me", ApiJson.Default.JsonElement, cancellationToken)).GetRawText());
            return ExitCode.Ok;
        }

        var me = await api.GetAsync("auth/me", ApiJson.Default.AccountView, cancellationToken);
        var name = me.Name is { Length: > 0 } given ? $" ({given})" : "";
        await StandardStreams.Out.WriteLineAsync(StandardStreams.Printable($"{me.Email}{name} at {api.Address}"));
        return ExitCode.Ok;
    }
}
