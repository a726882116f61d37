using Lintel.Infrastructure;
using Lintel.Platform.Http;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel;

/// <summary>A route without <c>RequireCaller</c> is open to everybody, so each of those is listed here on purpose.</summary>
public sealed class PublicRoutesTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly string[] Public =
    [
        "/.well-known/jwks.json",
        "/api/auth/login",
        "/api/auth/register",
        "/api/files/tus", // OPTIONS alone, as the protocol has it: what uploads can do here.
        "/auth/2fa",
        "/auth/2fa/passkey",
        "/auth/email/change/cancel",
        "/auth/email/change/confirm-new",
        "/auth/email/change/confirm-old",
        "/auth/email/code",
        "/auth/email/verify",
        "/auth/email/verify/request",
        "/auth/external",
        "/auth/external/token",
        "/auth/external/{provider}",
        "/auth/external/{provider}/callback",
        "/auth/login",
        "/auth/login/code",
        "/auth/logout",
        "/auth/passkey",
        "/auth/passkey/options",
        "/auth/password/forgot",
        "/auth/password/reset",
        "/auth/refresh",
        "/auth/register",
        "/docs",
        "/health",
        "/health/ready",
        "/limited",
        "/openapi.json",
        "/redoc",
    ];

    [Fact]
    public void Only_the_listed_routes_answer_without_a_caller()
    {
        var open = server.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<CallerRequirement>() is null && route.Metadata.GetMetadata<LocalOnly>() is null)
            .Select(route => "/" + route.RoutePattern.RawText!.Trim('/'))
            .Where(path => !path.StartsWith("/docs/", StringComparison.Ordinal) && !path.StartsWith("/redoc/", StringComparison.Ordinal))
            .Distinct()
            .Order(StringComparer.Ordinal);

        Assert.Equal(Public, open);
    }
}
