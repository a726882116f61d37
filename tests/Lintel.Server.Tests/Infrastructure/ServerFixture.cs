using Lintel.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Infrastructure;

/// <summary>
/// The real server on real Kestrel, in this process, on a free port, with a data folder and a database of its own.
/// Use it as a class fixture, or start one with settings of its own: <c>await using var server = await ServerFixture.StartAsync(["--RATE_LIMIT_REQUESTS=3"])</c>.
/// </summary>
public class ServerFixture : IAsyncLifetime
{
    private readonly TestDatabaseKind _kind;
    private readonly string[] _settings;
    private readonly Action<WebApplicationBuilder>? _configure;
    private readonly Action<WebApplication>? _map;
    private TestDatabase? _database;
    private WebApplication? _app;
    private HttpClient? _client;

    public ServerFixture()
        : this(TestDatabaseKind.Sqlite)
    {
    }

    /// <param name="kind">The database.</param>
    /// <param name="settings">Such as <c>--PORT=0</c>; they win over the fixture's own.</param>
    /// <param name="configure">Replaces services, such as the clock.</param>
    /// <param name="map">Adds routes for the test alone.</param>
    protected ServerFixture(
        TestDatabaseKind kind, string[]? settings = null, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null)
    {
        _kind = kind;
        _settings = settings ?? [];
        _configure = configure;
        _map = map;
    }

    /// <summary>Where relative paths count from; ends in a slash.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>One client for all tests of the class: no cookies, no redirects followed, no credentials.</summary>
    public HttpClient Client => _client!;

    public CapturedLogStream Log { get; } = new();

    public string DataFolder { get; } = Directory.CreateTempSubdirectory("lintel-test-").FullName;

    /// <summary>Settings that may be others at each start; they win over all.</summary>
    protected virtual IReadOnlyList<string> SettingsOfStart => [];

    public IServiceProvider Services => _app!.Services;

    public static async Task<ServerFixture> StartAsync(
        string[]? settings = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? map = null,
        TestDatabaseKind kind = TestDatabaseKind.Sqlite)
    {
        var server = new ServerFixture(kind, settings, configure, map);
        await server.InitializeAsync();
        return server;
    }

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(_kind);
        await StartServerAsync();
    }

    /// <summary>Stops the server in good order and starts it again on the same data, on another port.</summary>
    public async Task RestartAsync()
    {
        await StopServerAsync();
        await StartServerAsync();
    }

    /// <summary>A client of its own, for tests that set headers on it.</summary>
    public HttpClient CreateClient() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = BaseAddress };

    /// <summary>The address of a socket route.</summary>
    public Uri SocketAddress(string path) => new UriBuilder(new Uri(BaseAddress, path)) { Scheme = "ws" }.Uri;

    public async ValueTask DisposeAsync()
    {
        await StopServerAsync();
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        Directory.Delete(DataFolder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task StartServerAsync()
    {
        string[] own =
        [
            "--HOST=127.0.0.1", "--PORT=0", $"--LINTEL_DATA={DataFolder}", $"--DATABASE_URL={_database!.Url}", "--LOG_LEVEL=DEBUG",
            "--SECRET_KEY=0123456789abcdef0123456789abcdef-for-tests", "--API_KEY=test-static-key", "--RATE_LIMIT_REQUESTS=1000000", "--RATE_LIMIT_SIGN_IN=1000000", "--RATE_LIMIT_REGISTER=1000000",
            "--CHAT_JOINS_PER_MINUTE=1000000", "--GUESS_TRIES=1000000", "--GUESS_TRIES_PER_ACCOUNT=1000000", "--GUESS_TRIES_PER_NETWORK=1000000",

            // Most tests are about something else than mail, and look at all the jobs and messages of those they sign in.
            "--RATE_LIMIT_EMAIL=1000000", "--EMAIL_VERIFICATION=off",
            "--CORS_ORIGINS=", "--TRUSTED_PROXIES=", "--EXECUTE=off",
        ];
        _app = LintelApplication.Create([.. own, .. _settings, .. SettingsOfStart], Configure);
        _map?.Invoke(_app);
        await _app.StartAsync();
        BaseAddress = new Uri(_app.Urls.First());
        _client = CreateClient();
    }

    private void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new LogOutput(Log));
        _configure?.Invoke(builder);
    }

    private async Task StopServerAsync()
    {
        _client?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }
}
