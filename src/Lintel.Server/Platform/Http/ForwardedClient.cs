using System.Net;
using Lintel.Platform.Configuration;

namespace Lintel.Platform.Http;

/// <summary>Who is at the other end, seen through the proxies that are trusted and no others.</summary>
internal sealed class ForwardedClient(ServerOptions options)
{
    // Each hop adds one; a longer list is made up.
    private const int MaxHops = 20;

    private readonly IPNetwork[] _proxies = [.. options.TrustedProxies];

    /// <summary>The client's address: the rightmost of <c>X-Forwarded-For</c> that is no trusted proxy, where a trusted one sent it.</summary>
    public IPAddress AddressOf(HttpContext context)
    {
        var address = Plain(context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (_proxies.Length == 0 || !IsTrusted(address))
        {
            return address;
        }

        var forwarded = context.Request.Headers["X-Forwarded-For"].ToString().AsSpan();
        for (var hop = 0; hop < MaxHops && !forwarded.IsEmpty; hop++)
        {
            var comma = forwarded.LastIndexOf(',');
            if (!TryParse(forwarded[(comma + 1)..].Trim(), out var previous))
            {
                // What stands left of something unreadable may be anybody's word.
                return address;
            }

            address = previous;
            if (!IsTrusted(address))
            {
                return address;
            }

            forwarded = comma < 0 ? [] : forwarded[..comma];
        }

        return address;
    }

    /// <summary>True where the client's own connection is encrypted, if only as far as a trusted proxy.</summary>
    public bool IsHttps(HttpContext context) =>
        context.Request.IsHttps
        || (CameByProxy(context) && context.Request.Headers["X-Forwarded-Proto"].ToString().EndsWith("https", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The host, and the port unless it is the scheme's own, that the client used: a trusted proxy's <c>X-Forwarded-Host</c>
    /// (what the nearest of them says), else <c>Host</c>.
    /// </summary>
    public string HostOf(HttpContext context)
    {
        var forwarded = CameByProxy(context) ? context.Request.Headers["X-Forwarded-Host"].ToString() : "";
        return forwarded.Length == 0 ? context.Request.Host.Value ?? "" : forwarded[(forwarded.LastIndexOf(',') + 1)..].Trim();
    }

    private bool CameByProxy(HttpContext context) =>
        _proxies.Length != 0 && context.Connection.RemoteIpAddress is { } remote && IsTrusted(Plain(remote));

    private bool IsTrusted(IPAddress address)
    {
        foreach (var proxy in _proxies)
        {
            if (proxy.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out IPAddress address)
    {
        // Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
        if (IPAddress.TryParse(text, out var parsed) || (IPEndPoint.TryParse(text, out var endpoint) && (parsed = endpoint.Address) is not null))
        {
            address = Plain(parsed);
            return true;
        }

        address = IPAddress.None;
        return false;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
