using Lintel.Platform.Http;
using Lintel.Platform.Security;

namespace Lintel.Platform.Sockets;

internal static class SocketsSetup
{
    /// <summary>Adds what sockets and event streams share: the registry of open connections and the handshake.</summary>
    public static void AddSockets(this IHostApplicationBuilder builder)
    {
        builder.AddJson(SocketsJson.Default);
        builder.Services.AddSingleton<LiveConnections>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<LiveConnections>());
        builder.Services.AddSingleton<SocketOrigins>();
        builder.Services.AddSingleton<SocketHandshake>();
    }
}
