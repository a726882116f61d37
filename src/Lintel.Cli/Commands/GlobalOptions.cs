using System.CommandLine;
using Lintel.Cli.Accounts;
using Lintel.Cli.Api;

namespace Lintel.Cli.Commands;

/// <summary>What every command takes, and the connection that follows from it.</summary>
internal sealed class GlobalOptions
{
    public const string ServerVariable = "LINTEL_SERVER";
    public const string KeyVariable = "LINTEL_API_KEY";

    public Option<string?> Server { get; } = new("--server")
    {
        Description = $"The server's address. Without it: ${ServerVariable}, else the server you signed in to last, else {ServerAddress.Default}.",
        HelpName = "url",
        Recursive = true,
    };

    public Option<bool> Insecure { get; } = new("--insecure")
    {
        Description = "Send credentials over plain http to another machine, where others may read them.",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Tell more on standard error: requests, their ids, details of errors.",
        Recursive = true,
    };

    public static TimeProvider Time => TimeProvider.System;

    /// <summary>A connection to the server with the user's credentials.</summary>
    /// <exception cref="CommandException">There are none, or they would be exposed.</exception>
    public ApiClient Connect(ParseResult parse)
    {
        var store = new CredentialStore();
        var address = FindServer(parse, store);
        var signIn = FindSignIn(store, address.ToString());
        Guard(parse, address, signIn.Insecure);
        var api = new ApiClient(address, parse.GetValue(Verbose));
        api.Credentials = Credentials.Of(api, store, signIn, Time);
        return api;
    }

    /// <summary>A connection without credentials, to get some.</summary>
    public ApiClient ConnectToSignIn(ParseResult parse, CredentialStore store)
    {
        var address = FindServer(parse, store);
        Guard(parse, address, agreed: false);
        return new ApiClient(address, parse.GetValue(Verbose));
    }

    public ServerAddress FindServer(ParseResult parse, CredentialStore store) => ServerAddress.Parse(
        parse.GetValue(Server) ?? NonEmpty(Environment.GetEnvironmentVariable(ServerVariable)) ?? store.Read().Current ?? ServerAddress.Default);

    private static StoredSignIn FindSignIn(CredentialStore store, string server)
    {
        if (NonEmpty(Environment.GetEnvironmentVariable(KeyVariable)) is { } key)
        {
            return new StoredSignIn { ApiKey = key };
        }

        return store.Read().Servers.TryGetValue(server, out var stored) && stored is { AccessToken: not null } or { ApiKey: not null }
            ? stored
            : throw new CommandException(ExitCode.NotAllowed, $"You are not signed in to {server}; run `lintel login --server {server}`, or set {KeyVariable}.");
    }

    private void Guard(ParseResult parse, ServerAddress address, bool agreed)
    {
        if (address.IsExposed && !agreed && !parse.GetValue(Insecure))
        {
            throw new CommandException(
                ExitCode.Configuration, $"{address} is not encrypted, so others could read your credentials on the way; use https, or add --insecure where the network is your own.");
        }
    }

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
