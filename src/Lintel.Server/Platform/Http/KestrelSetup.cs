using System.Net;
using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lintel.Platform.Http;

internal static class KestrelSetup
{
    /// <summary>What a route accepts that says nothing else with <c>MaxBody</c>.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    // The deprecated batch route carries its beams in the query.
    private const int MaxRequestLineBytes = 64 * 1024;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>HTTP/1.1 on one address and on the local socket, every limit finite. Encryption is the proxy's task.</summary>
    public static void AddKestrel(this WebApplicationBuilder builder, ServerOptions options)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var limits = kestrel.Limits;
            limits.MaxRequestBodySize = MaxBodyBytes;
            limits.MaxRequestLineSize = MaxRequestLineBytes;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MaxRequestHeaderCount = 100;
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            limits.KeepAliveTimeout = TimeSpan.FromSeconds(120);
            limits.MaxConcurrentConnections = options.MaxConnections;
            limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
            Listen(kestrel, options);
            kestrel.ListenLocally(options);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        switch (options.Host)
        {
            case "*":
                kestrel.ListenAnyIP(options.Port, Plain);
                break;
            case "localhost" when options.Port != 0:
                kestrel.ListenLocalhost(options.Port, Plain);
                break;
            case "localhost":
                kestrel.Listen(IPAddress.Loopback, 0, Plain);
                break;
            default:
                kestrel.Listen(IPAddress.Parse(options.Host), options.Port, Plain);
                break;
        }
    }

    private static void Plain(ListenOptions listen) => listen.Protocols = HttpProtocols.Http1;
}
