using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lintel.Platform.Telemetry;

/// <summary>The server with routes that log.</summary>
public sealed class LogServer() : ServerFixture(TestDatabaseKind.Sqlite, map: Map)
{
    private static void Map(WebApplication app)
    {
        app.MapGet("/log/{text}", async (string text, ILoggerFactory loggers) =>
        {
            // As deep and as late as a service would.
            await Task.Yield();
            await Task.Run(() => loggers.CreateLogger("Test.Deep").LogInformation("Said {Text}.", text));
            return "ok";
        });
        app.MapGet("/hang-up", (HttpContext context) => context.Abort());
    }
}

public sealed partial class LogTests(LogServer server) : IClassFixture<LogServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_logs_its_start_and_its_end()
    {
        using var response = await server.Client.GetAsync("/health?token=very-secret&x=1", Cancel);
        var lines = await server.Log.OfRequestAsync(response.Header("X-Request-ID"), Cancel);

        Assert.Equal(["timestamp", "level", "name", "message", "request_id", "method", "path"], Names(lines[0]));
        Assert.Equal(["timestamp", "level", "name", "message", "request_id", "method", "path", "status_code", "duration_ms"], Names(lines[1]));
        Assert.Equal(("app.access", "Request started", "INFO"), (Text(lines[0], "name"), Text(lines[0], "message"), Text(lines[0], "level")));
        Assert.Equal(("app.access", "Request finished", "INFO"), (Text(lines[1], "name"), Text(lines[1], "message"), Text(lines[1], "level")));
        Assert.Equal(("GET", "/health", 200), (Text(lines[1], "method"), Text(lines[1], "path"), lines[1].GetProperty("status_code").GetInt32()));
        Assert.InRange(lines[1].GetProperty("duration_ms").GetDouble(), 0.001, 60_000);
        Assert.Matches(Timestamp(), Text(lines[0], "timestamp"));
        Assert.True(string.CompareOrdinal(Text(lines[0], "timestamp"), Text(lines[1], "timestamp")) <= 0);
    }

    [Theory]
    [InlineData("/no/such/route", "WARNING")]
    [InlineData("/health", "INFO")]
    public async Task The_end_is_logged_at_the_level_of_its_status(string path, string level)
    {
        using var response = await server.Client.GetAsync(path, Cancel);

        Assert.Equal(level, Text((await server.Log.OfRequestAsync(response.Header("X-Request-ID"), Cancel))[^1], "level"));
    }

    [Fact]
    public async Task The_query_is_never_logged()
    {
        const string secret = "q7fz-credential-in-the-query";
        using var first = await server.Client.GetAsync($"/health?token={secret}", Cancel);
        using var second = await server.Client.GetAsync($"/no/route?ticket={secret}&api_key={secret}", Cancel);
        using var header = new HttpRequestMessage(HttpMethod.Get, "/api/jobs");
        header.Headers.Add("Authorization", $"Bearer {secret}");
        header.Headers.Add("Cookie", secret);
        using var third = await server.Client.SendAsync(header, Cancel);
        using var key = new HttpRequestMessage(HttpMethod.Get, "/api/jobs");
        key.Headers.Add("X-API-Key", secret);
        using var fourth = await server.Client.SendAsync(key, Cancel);
        foreach (var response in new[] { first, second, third, fourth })
        {
            await server.Log.OfRequestAsync(response.Header("X-Request-ID"), Cancel);
        }

        Assert.DoesNotContain(secret, server.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("line%0afeed")]
    [InlineData("%0d%0a%7b%22level%22:%22ERROR%22%7d")]
    [InlineData("quote%22,%22level%22:%22ERROR")]
    [InlineData("%1b%5b31mred")]
    [InlineData("%e2%80%a8separator")]
    [InlineData("%ed%a0%80lone-surrogate")]
    [InlineData("back%5cslash")]
    public async Task Nothing_that_a_client_sends_can_forge_a_line(string text)
    {
        using var response = await server.Client.GetAsync(new Uri(server.BaseAddress, "/log/" + text), Cancel);
        var lines = await server.Log.OfRequestAsync(response.Header("X-Request-ID"), Cancel);

        Assert.Equal(3, lines.Length);
        Assert.All(lines, static line => Assert.Equal("INFO", Text(line, "level")));
        Assert.All(lines, static line => Assert.DoesNotContain('\u001b', line.GetRawText()));
        Assert.DoesNotContain(server.Log.Lines, static line => Text(line, "message") == "NOT JSON");
    }

    [Fact]
    public async Task A_line_written_deep_inside_has_the_id_of_its_own_request_and_no_other()
    {
        await Parallel.ForAsync(0, 50, Cancel, async (i, cancel) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/log/deep-{i}"));
            request.Headers.Add("X-Request-ID", string.Create(CultureInfo.InvariantCulture, $"deep-{i}"));
            using var response = await server.Client.SendAsync(request, cancel);
            var lines = await server.Log.OfRequestAsync(string.Create(CultureInfo.InvariantCulture, $"deep-{i}"), cancel);
            var said = Assert.Single(lines, static line => Text(line, "name") == "Test.Deep");
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"deep-{i}"), Text(said, "text"));
        });
    }

    [Fact]
    public async Task Fields_are_snake_case_and_keep_their_type()
    {
        var logger = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test.Fields");
        var id = Guid.CreateVersion7();
        logger.LogWarning(
            "Fields {UserId} {Amount} {IsGood} {SomeGuid} {At} {Nothing} {Level} {Name} {Broken} {Span}",
            42, 1.5, true, id, new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), null, "mine", "also mine", double.NaN, TimeSpan.FromSeconds(1.5));

        var line = await server.Log.WaitForAsync(static line => Text(line, "name") == "Test.Fields", Cancel);

        Assert.Equal("WARNING", Text(line, "level"));
        Assert.Equal(42, line.GetProperty("user_id").GetInt32());
        Assert.Equal(1.5, line.GetProperty("amount").GetDouble());
        Assert.True(line.GetProperty("is_good").GetBoolean());
        Assert.Equal(id, line.GetProperty("some_guid").GetGuid());
        Assert.Equal("2030-01-02T01:04:05Z", Text(line, "at"));
        Assert.Equal(JsonValueKind.Null, line.GetProperty("nothing").ValueKind);
        Assert.Equal(JsonValueKind.Null, line.GetProperty("request_id").ValueKind);
        Assert.Equal("mine", Text(line, "field_level") + "", StringComparer.Ordinal);
        Assert.Equal("also mine", Text(line, "field_name"));
        Assert.Equal("NaN", Text(line, "broken"));
        Assert.Equal("00:00:01.5000000", Text(line, "span"));
    }

    [Fact]
    public async Task A_secret_that_is_logged_by_mistake_is_withheld_in_fields_and_message()
    {
        var logger = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test.Secrets");
        logger.LogInformation("User {UserId} signed in with {Password} and {AccessToken}.", 7, "hunter2", "eyJhbGciOi");

        var line = await server.Log.WaitForAsync(static line => Text(line, "name") == "Test.Secrets", Cancel);

        Assert.Equal("***", Text(line, "password"));
        Assert.Equal("***", Text(line, "access_token"));
        Assert.Equal(7, line.GetProperty("user_id").GetInt32());
        Assert.DoesNotContain("hunter2", line.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("eyJhbGciOi", line.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_cannot_be_printed_does_not_fail_its_request()
    {
        var logger = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test.Unprintable");
        logger.LogInformation("Value {Value}.", new Unprintable());
        logger.LogInformation("And on.");

        Assert.Equal("WARNING", Text(await server.Log.WaitForAsync(static line => Text(line, "name") == "Test.Unprintable", Cancel), "level"));
        await server.Log.WaitForAsync(static line => Text(line, "message") == "And on.", Cancel);
    }

    [Fact]
    public async Task A_value_that_logs_while_it_is_logged_gets_a_line_of_its_own()
    {
        var logger = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test.Recursive");
        logger.LogInformation("Outer {Value}.", new Logging(logger));

        Assert.Equal("Outer inner.", Text(await server.Log.WaitForAsync(static line => Text(line, "message")?.StartsWith("Outer", StringComparison.Ordinal) == true, Cancel), "message"));
        await server.Log.WaitForAsync(static line => Text(line, "message") == "From inside.", Cancel);
    }

    [Fact]
    public async Task Endless_texts_are_shortened()
    {
        var logger = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test.Long");
        logger.LogInformation("{Text}", new string('x', 1_000_000));

        Assert.InRange((await server.Log.WaitForAsync(static line => Text(line, "name") == "Test.Long", Cancel)).GetRawText().Length, 1, 20_000);
    }

    [Fact]
    public async Task LOG_LEVEL_filters_and_the_framework_is_quiet()
    {
        await using var quiet = await ServerFixture.StartAsync(["--LOG_LEVEL=WARNING"]);
        using var good = await quiet.Client.GetAsync("/health", Cancel);
        using var bad = await quiet.Client.GetAsync("/no/such/route", Cancel);
        await quiet.Log.OfRequestAsync(bad.Header("X-Request-ID"), Cancel);

        Assert.All(quiet.Log.Lines, static line => Assert.Equal("WARNING", Text(line, "level")));

        // At DEBUG the framework is as quiet as ever.
        Assert.DoesNotContain(server.Log.Lines, static line => Text(line, "name")!.StartsWith("Microsoft.", StringComparison.Ordinal) && Text(line, "level") is "DEBUG" or "INFO");
    }

    private static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static IEnumerable<string> Names(JsonElement line) => line.EnumerateObject().Select(static field => field.Name);

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", RegexOptions.NonBacktracking)]
    private static partial Regex Timestamp();

    private sealed class Unprintable
    {
        public override string ToString() => throw new InvalidOperationException("Not today.");
    }

    private sealed class Logging(ILogger logger)
    {
        public override string ToString()
        {
            logger.LogInformation("From inside.");
            return "inner";
        }
    }
}
