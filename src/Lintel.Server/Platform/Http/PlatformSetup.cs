using Lintel.Platform.Configuration;
using Lintel.Platform.Health;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Telemetry;

namespace Lintel.Platform.Http;

/// <summary>What every server of this kind has, whatever its features.</summary>
internal static class PlatformSetup
{
    /// <summary>A builder with configuration, logging, Kestrel and JSON, and nothing else: each default that is left out makes the start faster.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateEmptyBuilder(new()
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = "Lintel.Server",

            // An empty builder does not look for itself.
            EnvironmentName = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT"),
        });
        builder.AddConfiguration(args);

        var server = builder.AddSettings(ServerOptions.Read);
        builder.AddSettings(StorageOptions.Read);
        builder.AddSettings(RateLimitOptions.Read);
        builder.AddJsonLogging(server.LogLevel);
        builder.AddKestrel(server);
        builder.AddJson();
        builder.AddCallers();
        builder.AddApiDescription();
        builder.AddCrossOrigin(server);

        builder.Services.AddRoutingCore();

        // The framework's own look at content types chooses another endpoint, which has neither the route's caller nor its limits. Those who read bodies look themselves.
        builder.Services.Remove(builder.Services.Single(
            static service => service.ServiceType == typeof(MatcherPolicy) && service.ImplementationType?.Name == "AcceptsMatcherPolicy"));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ForwardedClient>();
        builder.Services.AddSingleton<BodyBudget>();
        builder.Services.AddSingleton<RootServices>();

        // What cannot be bound is told by exceptions, which become a 422 in every environment.
        builder.Services.Configure<RouteHandlerOptions>(static options => options.ThrowOnBadRequest = true);
        return builder;
    }

    /// <summary>The middlewares, outermost first; the endpoints come after them.</summary>
    public static void UsePlatform(this WebApplication app)
    {
        app.UseMiddleware<RequestBoundary>();
        app.UseCrossOrigin();
        app.UseSockets();
        app.UseRouting();
        app.UseLocalSocket();
        app.UseCallers();
    }

    public static void MapPlatform(this IEndpointRouteBuilder routes)
    {
        routes.MapHealth();
        routes.MapSockets();
        routes.MapRateLimits();
        routes.MapApiDescription();
    }
}
