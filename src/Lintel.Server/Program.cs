using Lintel.Features.Accounts;
using Lintel.Features.Administration;
using Lintel.Features.ApiKeys;
using Lintel.Features.Beams;
using Lintel.Features.Chat;
using Lintel.Features.Execution;
using Lintel.Features.Files;
using Lintel.Features.Jobs;
using Lintel.Features.Mail;
using Lintel.Features.Notifications;
using Lintel.Features.Streams;
using Lintel.Features.Tasks;
using Lintel.Features.Webhooks;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Sockets;
using Lintel.Platform.Storage;

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
        builder.AddStorage();
        builder.AddBreakers();
        builder.AddRateLimits();
        builder.AddSockets();
        builder.AddStreams();
        builder.AddAccounts();
        builder.AddApiKeys();
        builder.AddJobs();
        builder.AddMail();
        builder.AddNotifications();
        builder.AddWebhooks();
        builder.AddTasks();
        builder.AddFiles();
        builder.AddChat();
        builder.AddBeams();
        builder.AddExecution();
        builder.AddAdministration();
        configure?.Invoke(builder);
        builder.Settings().ThrowIfInvalid();

        var app = builder.Build();
        app.UsePlatform();

        var routes = app.MapGroup("").WithHead();
        routes.MapPlatform();
        routes.MapBreakers();
        routes.MapAccounts();
        routes.MapApiKeys();
        routes.MapJobs();
        routes.MapNotifications();
        routes.MapWebhooks();
        routes.MapTasks();
        routes.MapFiles();
        routes.MapChat();
        routes.MapBeams();
        routes.MapExecution();
        routes.MapAdministration();
        return app;
    }
}
