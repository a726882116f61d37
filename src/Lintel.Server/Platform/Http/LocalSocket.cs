using System.Net.Sockets;
using System.Text;
using Lintel.Platform.Configuration;
using Lintel.Platform.Errors;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lintel.Platform.Http;

/// <summary>Endpoint metadata: only who has the server's own files may call it, through the socket in the data folder.</summary>
internal sealed record LocalOnly
{
    public static readonly LocalOnly Instance = new();
}

/// <summary>
/// A Unix socket in the data folder, which the kernel lets nobody open but the server's own user (and root). Whoever can, could change the database as well: so the routes that are
/// marked for it ask for no credentials. It serves those routes and no others, and no other connection reaches them.
/// </summary>
internal static class LocalSocket
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // What the kernel has room for, with the zero behind it.
    private const int LongestPath = 107;

    public static string PathIn(string dataFolder) => Path.Combine(dataFolder, "run", "admin.sock");

    /// <summary>Lets only the local socket reach the endpoint.</summary>
    public static TBuilder RequireLocalSocket<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(LocalOnly.Instance);

    /// <summary>Listens beside the server's address. Where it cannot, the server works without.</summary>
    public static void ListenLocally(this KestrelServerOptions kestrel, ServerOptions options)
    {
        var path = PathIn(options.DataFolder);
        if (OperatingSystem.IsWindows() || Encoding.UTF8.GetByteCount(path) > LongestPath || !Prepare(path))
        {
            return;
        }

        kestrel.ListenUnixSocket(path, static listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(static next => connection =>
            {
                connection.Features.Set(Connection.Instance);
                return next(connection);
            });
        });
    }

    /// <summary>Keeps the local socket's routes and all others apart; it comes after routing.</summary>
    public static void UseLocalSocket(this WebApplication app)
    {
        app.Lifetime.ApplicationStarted.Register(static state => Protect((string)state!), PathIn(app.Services.GetRequiredService<ServerOptions>().DataFolder));
        app.Use(static (context, next) =>
        {
            var isLocal = context.Features.Get<Connection>() is not null;
            var isForLocal = context.GetEndpoint()?.Metadata.GetMetadata<LocalOnly>() is not null;
            return isLocal == isForLocal ? next(context) : ErrorWriter.WriteAsync(context, ApiErrors.NotFound());
        });
    }

    /// <summary>Makes the folder, and removes what a server that crashed has left; false where another server answers there.</summary>
    private static bool Prepare(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            Directory.CreateDirectory(folder);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, OwnerOnlyFolder);
            }

            if (!File.Exists(path))
            {
                return true;
            }

            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                probe.Connect(new UnixDomainSocketEndPoint(path));
                return false;
            }
            catch (SocketException)
            {
                File.Delete(path);
                return true;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be written to is told of where the database is opened.
            return false;
        }
    }

    private static void Protect(string path)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path))
        {
            File.SetUnixFileMode(path, OwnerOnlyFile);
        }
    }

    /// <summary>Connection feature: it came through the socket.</summary>
    private sealed class Connection
    {
        public static readonly Connection Instance = new();
    }
}
