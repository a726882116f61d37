using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Platform.Sockets;

internal static class SocketEndpoints
{
    public static void MapSockets(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/websocket/status", GetStatus).WithTags("Health").WithName("GetSocketStatus").WithSummary("Count the open WebSockets of this node")
            .WithDescription("For operators.")
            .RequireCaller(Scopes.Admin);

    internal static Ok<SocketsStatus> GetStatus(LiveConnections connections)
    {
        // An event stream is a live connection too, and no socket.
        var sockets = connections.List().OfType<SocketConnection>().ToList();
        return TypedResults.Ok(new SocketsStatus(
            sockets.Count,
            [
                .. from socket in sockets
                   group socket.Caller.OwnerId by socket.Route into route
                   orderby route.Key
                   select new RouteSockets(route.Key, route.Count(), route.Where(static owner => owner >= Caller.StaticKeyOwner).Distinct().Count()),
            ]));
    }
}
