using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Platform.Http;

/// <summary>
/// Gives every request the server's own services instead of a scope of its own. All our services are singletons, so a scope would only
/// cost each request time and each open socket memory; a test sees to it that none of ours is scoped.
/// </summary>
internal sealed class RootServices(IServiceProvider services) : IServiceProvidersFeature
{
    public IServiceProvider RequestServices
    {
        get => services;

        // Shared by all requests: one must not change it for the others.
        set => throw new NotSupportedException("Requests share the server's services.");
    }
}
