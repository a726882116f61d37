namespace Lintel.Platform.Security;

/// <summary>Endpoint metadata: a caller with these scopes is needed.</summary>
/// <param name="Scopes">All of them are needed; <see cref="Scopes.None"/> asks for any caller.</param>
/// <param name="AcceptsTicket">An event stream: browsers may give <c>?ticket=</c> instead of a header.</param>
/// <param name="IsSocket">A WebSocket: without headers the credentials may come later, see <c>SocketHandshake</c>.</param>
/// <param name="IsPerson">Keys are refused, whatever their scopes.</param>
internal sealed record CallerRequirement(Scopes Scopes, bool AcceptsTicket = false, bool IsSocket = false, bool IsPerson = false);

internal static class CallerRequirementExtensions
{
    /// <summary>Lets only callers with <paramref name="scopes"/> reach the endpoint; handlers take a <see cref="Caller"/> parameter.</summary>
    public static TBuilder RequireCaller<TBuilder>(this TBuilder builder, Scopes scopes = Scopes.None)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRequirement(scopes));

    /// <summary>Lets only people who are signed in reach the endpoint: what keys must not do with their owner's account.</summary>
    public static TBuilder RequirePerson<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRequirement(Scopes.None, IsPerson: true));

    /// <summary>As <see cref="RequireCaller"/>, for a route that answers with Server-Sent Events.</summary>
    public static TBuilder RequireEventStreamCaller<TBuilder>(this TBuilder builder, Scopes scopes = Scopes.None)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRequirement(scopes, AcceptsTicket: true));

    /// <summary>As <see cref="RequirePerson"/>, for a route that answers with Server-Sent Events.</summary>
    public static TBuilder RequireEventStreamPerson<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRequirement(Scopes.None, AcceptsTicket: true, IsPerson: true));

    /// <summary>As <see cref="RequireCaller"/>, for a WebSocket route.</summary>
    public static TBuilder RequireSocketCaller<TBuilder>(this TBuilder builder, Scopes scopes = Scopes.None)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRequirement(scopes, IsSocket: true));
}
