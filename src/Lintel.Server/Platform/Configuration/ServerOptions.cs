using System.Globalization;
using System.Net;

namespace Lintel.Platform.Configuration;

/// <summary>Where and how the server listens, and what it may tell.</summary>
internal sealed class ServerOptions
{
    public required string AppName { get; init; }

    /// <summary>
    /// The address to listen on: an IP address, <c>localhost</c>, or <c>*</c> for all. The default, 127.0.0.1, is reachable from this
    /// machine alone, which is right behind a proxy on the same machine; a container needs <c>HOST=0.0.0.0</c>.
    /// </summary>
    public required string Host { get; init; }

    /// <summary>The port; 0 takes a free one.</summary>
    public required int Port { get; init; }

    /// <summary>Where people reach the server, for links in mail and addresses that others come back to. It ends with a slash.</summary>
    public required Uri PublicUrl { get; init; }

    /// <summary>An absolute path; the folder exists.</summary>
    public required string DataFolder { get; init; }

    public required bool IsDevelopment { get; init; }

    public required LogLevel LogLevel { get; init; }

    /// <summary>Origins whose pages may call this server from a browser, or <c>*</c>; none by default.</summary>
    public required IReadOnlyList<string> CorsOrigins { get; init; }

    /// <summary>The proxies whose <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c> are believed; none by default.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    /// <summary>Connections that may be open at once, sockets and streams among them.</summary>
    public required int MaxConnections { get; init; }

    /// <summary>Sockets and event streams that one owner may have open at once on this node.</summary>
    public required int MaxConnectionsPerOwner { get; init; }

    /// <summary>The same for one address, signed in or not; an IPv6 network of 64 bits counts as one.</summary>
    public required int MaxConnectionsPerAddress { get; init; }

    /// <summary>Bytes that large request bodies may take in memory, all together.</summary>
    public required int BodyMemory { get; init; }

    public static ServerOptions Read(SettingsReader settings)
    {
        var port = settings.Number("PORT", 8000, 0, 65535);
        return new()
        {
            AppName = settings.Text("APP_NAME") ?? "Lintel",
            Host = ReadHost(settings),
            Port = port,
            PublicUrl = ReadPublicUrl(settings, port),
            DataFolder = ReadDataFolder(settings),
            IsDevelopment = settings.IsDevelopment,
            LogLevel = settings.Choice(
                "LOG_LEVEL",
                LogLevel.Information,
                ("DEBUG", LogLevel.Debug),
                ("INFO", LogLevel.Information),
                ("WARNING", LogLevel.Warning),
                ("ERROR", LogLevel.Error)),
            CorsOrigins = ReadOrigins(settings),
            TrustedProxies = settings.Networks("TRUSTED_PROXIES"),
            MaxConnections = settings.Number("MAX_CONNECTIONS", 20_000, 1, 1_000_000),
            MaxConnectionsPerAddress = settings.Number("MAX_CONNECTIONS_PER_ADDRESS", 5000, 1, 1_000_000),
            MaxConnectionsPerOwner = settings.Number("MAX_CONNECTIONS_PER_OWNER", 1000, 1, 1_000_000),

            // The largest body that a route takes has 16 MB, and one that comes in chunks is held twice while its buffer grows.
            BodyMemory = settings.Number("REQUEST_BODY_MEMORY_MB", 64, 32, 2000) * 1024 * 1024,
        };
    }

    private static string ReadHost(SettingsReader settings)
    {
        var host = settings.Text("HOST") ?? "127.0.0.1";
        if (host is not ("*" or "localhost") && !IPAddress.TryParse(host, out _))
        {
            settings.Refuse("HOST", "must be an IP address to listen on, localhost, or * for all addresses");
        }

        return host;
    }

    private static Uri ReadPublicUrl(SettingsReader settings, int port)
    {
        var text = settings.Text("PUBLIC_URL") ?? string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}");
        if (Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https"
            && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0)
        {
            return url;
        }

        settings.Refuse("PUBLIC_URL", "must be the address at which people reach this server, such as https://lintel.example.com");
        return new("http://localhost/");
    }

    private static string ReadDataFolder(SettingsReader settings)
    {
        try
        {
            return settings.MakeDataFolder();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            settings.Refuse("LINTEL_DATA", $"names {settings.DataFolder}, which cannot be made: give a folder that this user may write to");
            return settings.DataFolder;
        }
    }

    private static List<string> ReadOrigins(SettingsReader settings)
    {
        var origins = new List<string>();
        foreach (var text in settings.List("CORS_ORIGINS"))
        {
            var isOrigin = Uri.TryCreate(text, UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
                && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0;
            if (text == "*" || isOrigin)
            {
                origins.Add(text.TrimEnd('/'));
            }
            else
            {
                settings.Refuse("CORS_ORIGINS", "must be a list of origins such as https://app.example.com, separated by commas, or *");
            }
        }

        return origins;
    }
}
