using System.Net;

namespace Lintel.Cli.Api;

/// <summary>Where the server is.</summary>
internal sealed record ServerAddress
{
    public const string Default = "http://127.0.0.1:8000";

    private ServerAddress(Uri root) => Root = root;

    /// <summary>Ends in a slash, so that a server below a path of its own works too.</summary>
    public Uri Root { get; }

    /// <summary>Whether what is sent can be read on the way.</summary>
    public bool IsExposed => Root.Scheme == Uri.UriSchemeHttp && !IsLoopback(Root.IdnHost);

    /// <exception cref="CommandException">It is no address.</exception>
    public static ServerAddress Parse(string text)
    {
        var trimmed = text.Trim().TrimEnd('/');
        if (!Uri.TryCreate(trimmed + "/", UriKind.Absolute, out var root) || root.Scheme is not ("http" or "https") || root.Host.Length == 0)
        {
            throw new CommandException(ExitCode.Usage, $"'{text}' is not the address of a server; write it as {Default} or https://lintel.example.com.");
        }

        if (root.UserInfo.Length > 0)
        {
            throw new CommandException(ExitCode.Usage, "A server's address has no user name or password in it; sign in with `lintel login`.");
        }

        return new ServerAddress(new UriBuilder(root) { Query = "", Fragment = "" }.Uri);
    }

    public Uri At(string path) => new(Root, path.TrimStart('/'));

    public Uri SocketAt(string path) => new UriBuilder(At(path)) { Scheme = Root.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri;

    public override string ToString() => Root.AbsoluteUri.TrimEnd('/');

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
