using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Platform.Sockets;

/// <summary>
/// Whose pages may open sockets: this server's own and those of <c>CORS_ORIGINS</c>. Browsers ask nobody before they open a socket to another site,
/// and send along what they have for it; they do say whose page it was.
/// </summary>
internal sealed class SocketOrigins(ServerOptions options, ForwardedClient client)
{
    private readonly bool _isAnyAllowed = options.CorsOrigins.Contains("*");
    private readonly string[] _allowed = [.. options.CorsOrigins.Select(static origin => Normalize(origin) ?? origin)];

    /// <summary>True for a program, which sends no <c>Origin</c>, and for a page of an origin that may.</summary>
    public bool Allows(HttpContext context)
    {
        var sent = context.Request.Headers.Origin;
        if (sent.Count == 0 || _isAnyAllowed)
        {
            return true;
        }

        return Normalize(sent.ToString()) is { } origin
            && (origin == Normalize($"{(client.IsHttps(context) ? "https" : "http")}://{client.HostOf(context)}") || _allowed.Contains(origin));
    }

    /// <summary>Scheme, host in lower case, and port; null for what is no origin of the web, such as <c>null</c>.</summary>
    private static string? Normalize(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", UserInfo: "", PathAndQuery: "/", Fragment: "" }
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}")
            : null;
}
