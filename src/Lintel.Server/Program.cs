using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel;

/// <summary>The one executable: this list of features is the server.</summary>
internal static class LintelApplication
{
    public static Task<int> Main(string[] args) => ServerRun.RunAsync(() => Create(args));

    /// <summary>The server, built and not yet started.</summary>
    /// <param name="args">Settings, as <c>--NAME=value</c>.</param>
    /// <param name="configure">Changes the builder last, after all features.</param>
    /// <exception cref="InvalidSettingsException">It cannot start as it is configured.</exception>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = PlatformSetup.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.Settings().ThrowIfInvalid();

        var app = builder.Build();
        app.UsePlatform();

        var routes = app.MapGroup("").WithHead();
        routes.MapPlatform();
        return app;
    }
}
