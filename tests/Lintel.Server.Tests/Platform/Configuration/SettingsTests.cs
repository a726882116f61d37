using Lintel.Features.Accounts.Credentials;
using Lintel.Features.ApiKeys;
using Lintel.Platform.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lintel.Platform.Configuration;

public sealed class SettingsTests : IDisposable
{
    private const string GoodKey = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_settings_the_defaults_hold()
    {
        var settings = Read();
        var server = ServerOptions.Read(settings);
        var limits = RateLimitOptions.Read(settings);
        var tokens = TokenOptions.Read(Read(("SECRET_KEY", GoodKey)));

        Assert.Equal(("127.0.0.1", 8000, "Lintel", LogLevel.Information), (server.Host, server.Port, server.AppName, server.LogLevel));
        Assert.Empty(server.CorsOrigins);
        Assert.Empty(server.TrustedProxies);
        Assert.Equal((100, TimeSpan.FromSeconds(60)), (limits.Requests, limits.Window));
        Assert.Equal((TimeSpan.FromMinutes(15), TimeSpan.FromDays(7)), (tokens.AccessTokenLifetime, tokens.RefreshTokenLifetime));
        Assert.Null(ApiKeyOptions.Read(settings).StaticKey);
        Assert.Equal(Path.Combine(_folder, "lintel.db"), StorageOptions.Read(settings).SqlitePath);
        Assert.Empty(settings.Errors);
    }

    [Theory]
    [InlineData("PORT", "x")]
    [InlineData("PORT", "-1")]
    [InlineData("PORT", "65536")]
    [InlineData("PORT", "8 000")]
    [InlineData("PORT", "0x10")]
    [InlineData("HOST", "example.com")]
    [InlineData("LOG_LEVEL", "LOUD")]
    [InlineData("DEBUG", "maybe")]
    [InlineData("CORS_ORIGINS", "example.com")]
    [InlineData("CORS_ORIGINS", "https://example.com/path")]
    [InlineData("CORS_ORIGINS", "https://good.example,ftp://bad.example")]
    [InlineData("TRUSTED_PROXIES", "10.0.0.0/33")]
    [InlineData("TRUSTED_PROXIES", "proxy.example.com")]
    [InlineData("RATE_LIMIT_REQUESTS", "0")]
    [InlineData("RATE_LIMIT_WINDOW", "-5")]
    [InlineData("ACCESS_TOKEN_EXPIRE_MINUTES", "1e3")]
    [InlineData("REFRESH_TOKEN_EXPIRE_DAYS", "366")]
    [InlineData("API_KEY", "has a blank")]
    [InlineData("API_KEY", "schlüssel")]
    [InlineData("ALGORITHM", "none")]
    [InlineData("ALGORITHM", "RS256")]
    [InlineData("SECRET_KEY", "too-short-by-far-sekrit")]
    [InlineData("DATABASE_URL", "mysql://user:sekrit@host/db")]
    [InlineData("DATABASE_URL", "sqlite://")]
    [InlineData("DATABASE_URL", "sqlite:///:memory:")]
    [InlineData("DATABASE_URL", "sqlite:////tmp/")]
    [InlineData("DATABASE_URL", "sqlite:///x.db?mode=memory")]
    [InlineData("DATABASE_URL", "postgresql://user:sekrit@host")]
    [InlineData("DATABASE_URL", "postgresql://user:sekrit@host/a/b")]
    [InlineData("DATABASE_URL", "postgresql://user:se#krit@/db")]
    [InlineData("DATABASE_URL", "postgresql://user:sekrit@host/db?sslmode=perhaps")]
    [InlineData("DATABASE_URL", "postgresql://user:sekrit@host/db?options=-csekrit")]
    [InlineData("DATABASE_URL", "lintel.db")]
    public void A_wrong_setting_is_refused_by_name_without_its_value(string name, string value)
    {
        var settings = Read((name, value));
        ReadAll(settings);
        var error = Assert.Single(settings.Errors, error => !error.StartsWith("SECRET_KEY is missing", StringComparison.Ordinal));

        Assert.StartsWith(name + " ", error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        Assert.DoesNotContain("krit", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        var settings = Read(("PORT", "x"), ("LOG_LEVEL", "x"), ("ALGORITHM", "x"), ("DATABASE_URL", "x"));
        ReadAll(settings);

        Assert.Equal(
            ["ALGORITHM", "DATABASE_URL", "LOG_LEVEL", "PORT", "SECRET_KEY"],
            Assert.Throws<InvalidSettingsException>(settings.ThrowIfInvalid).Errors.Select(static error => error.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Blank_settings_count_as_absent()
    {
        var settings = Read(("PORT", ""), ("LOG_LEVEL", "  "), ("DATABASE_URL", ""), ("API_KEY", ""), ("SECRET_KEY", GoodKey));
        ReadAll(settings);

        Assert.Empty(settings.Errors);
    }

    [Theory]
    [InlineData("sqlite:///./some/lintel.db", "some/lintel.db")]
    [InlineData("sqlite:///lintel.db", "lintel.db")]
    [InlineData("sqlite+aiosqlite:///x%20y.db", "x y.db")]
    public void A_relative_sqlite_path_counts_from_the_current_folder(string url, string path)
    {
        var options = DatabaseUrl.Parse(url);

        Assert.Equal((DatabaseKind.Sqlite, Path.GetFullPath(path)), (options.Kind, options.SqlitePath));
    }

    [Fact]
    public void Four_slashes_are_an_absolute_path()
    {
        Assert.Equal("/var/lib/lintel/lintel.db", DatabaseUrl.Parse("sqlite:////var/lib/lintel/lintel.db").SqlitePath);
    }

    [Theory]
    [InlineData("postgresql://u:p@db.example:6543/lintel", "Host=db.example;Port=6543;Database=lintel;Username=u;Password=p")]
    [InlineData("postgres://u@db.example/lintel", "Host=db.example;Port=5432;Database=lintel;Username=u")]
    [InlineData("postgresql+asyncpg://u:p%40ss%3A%2F@[::1]/lintel", "Host=::1;Port=5432;Database=lintel;Username=u;Password=p@ss:/")]
    [InlineData("postgresql://u@localhost/lintel?sslmode=verify-full&max_pool_size=7", "Host=localhost;Port=5432;Database=lintel;Username=u;SSL Mode=VerifyFull;Maximum Pool Size=7")]
    [InlineData("postgresql://u@localhost/lintel?host=%2Frun%2Fpostgresql", "Host=/run/postgresql;Port=5432;Database=lintel;Username=u")]
    public void A_postgres_url_becomes_a_connection_string(string url, string connectionString)
    {
        var options = DatabaseUrl.Parse(url);

        Assert.Equal((DatabaseKind.Postgres, connectionString), (options.Kind, options.PostgresConnectionString));
    }

    [Fact]
    public void Production_needs_a_secret_key_and_takes_no_kept_one()
    {
        File.WriteAllText(Path.Combine(_folder, "secret.key"), GoodKey);
        var settings = Read();
        TokenOptions.Read(settings);

        Assert.StartsWith("SECRET_KEY is missing", Assert.Single(settings.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DEBUG", "true", "Production")]
    [InlineData("DEBUG", "false", "Development")]
    public void Development_makes_a_key_once_and_keeps_it_to_itself(string name, string value, string environment)
    {
        var first = TokenOptions.Read(Read(environment, (name, value)));
        var second = TokenOptions.Read(Read(environment, (name, value)));

        Assert.InRange(first.SecretKey.Length, 32, 1000);
        Assert.Equal(first.SecretKey, second.SecretKey);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "secret.key")));
        }

        Assert.Equal(["secret.key"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Servers_that_start_together_agree_on_one_key()
    {
        var keys = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForAsync(0, 50, TestContext.Current.CancellationToken, (_, _) =>
        {
            keys.Add(Convert.ToHexString(TokenOptions.Read(Read("Development")).SecretKey));
            return ValueTask.CompletedTask;
        });

        Assert.Single(keys.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void A_damaged_kept_key_is_told_and_not_replaced()
    {
        File.WriteAllText(Path.Combine(_folder, "secret.key"), "short");
        var settings = Read("Development");
        TokenOptions.Read(settings);

        Assert.StartsWith("SECRET_KEY ", Assert.Single(settings.Errors), StringComparison.Ordinal);
        Assert.Equal("short", File.ReadAllText(Path.Combine(_folder, "secret.key")));
    }

    [Fact]
    public void Origins_and_proxies_are_lists()
    {
        var server = ServerOptions.Read(Read(("CORS_ORIGINS", "https://a.example/, http://localhost:3000"), ("TRUSTED_PROXIES", "10.0.0.0/8 192.0.2.7,::1")));

        Assert.Equal(["https://a.example", "http://localhost:3000"], server.CorsOrigins);
        Assert.Equal(["10.0.0.0/8", "192.0.2.7/32", "::1/128"], server.TrustedProxies.Select(static proxy => proxy.ToString()));
    }

    private static void ReadAll(SettingsReader settings)
    {
        ServerOptions.Read(settings);
        StorageOptions.Read(settings);
        TokenOptions.Read(settings);
        ApiKeyOptions.Read(settings);
        RateLimitOptions.Read(settings);
    }

    private SettingsReader Read(params (string Name, string Value)[] settings) => Read("Production", settings);

    private SettingsReader Read(string environment, params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("LINTEL_DATA", _folder), .. settings.Select(static setting => new KeyValuePair<string, string?>(setting.Name, setting.Value))])
            .Build();
        return new(configuration, new TestEnvironment { EnvironmentName = environment });
    }

    private sealed class TestEnvironment : IHostEnvironment
    {
        public required string EnvironmentName { get; set; }

        public string ApplicationName { get; set; } = "Lintel.Server";

        public string ContentRootPath { get; set; } = ".";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
