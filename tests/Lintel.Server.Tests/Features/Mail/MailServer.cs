using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Mail;

/// <summary>A server with a kind of message of its own, <c>hello</c>, and a clock that can be moved.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    public static readonly MailTemplate Hello = new(
        "hello",
        "Subject: Hello {{name}}\n\nDear {{name}},\n\nthis is it: {{note}}\n",
        "<p>Dear <b>{{name}}</b>,</p>\n<p title=\"{{name}}\">{{note}}</p>\n");

    private MailServer(ServerFixture fixture, MovableClock clock) => (Fixture, Clock) = (fixture, clock);

    public ServerFixture Fixture { get; }

    public MovableClock Clock { get; }

    public Database Database => Fixture.Services.GetRequiredService<Database>();

    public string PickupFolder => Path.Combine(Fixture.DataFolder, "mail");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<MailServer> StartAsync(TestDatabaseKind kind, params string[] settings)
    {
        var clock = new MovableClock();
        var fixture = await ServerFixture.StartAsync(
            ["--PASSWORD_HASH_ITERATIONS=10000", "--MAIL_FROM=Lintel <lintel@example.com>", .. settings],
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(clock);
                builder.Services.AddSingleton(Hello);
            },
            kind: kind);
        return new(fixture, clock);
    }

    public static Task<MailServer> StartAsync(TestDatabaseKind kind, SmtpServer smtp) =>
        StartAsync(kind, "--SMTP_HOST=127.0.0.1", $"--SMTP_PORT={smtp.Port}", "--SMTP_TLS=off");

    /// <summary>Someone new, signed in.</summary>
    public async Task<(long Id, string Email, HttpClient Client)> SignInAsync()
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await Fixture.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        using var signedIn = await Fixture.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        var client = Fixture.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await Tokens.OfAsync(signedIn)).Access);
        return ((await registered.JsonAsync()).GetProperty("id").GetInt64(), person.email, client);
    }

    public Task SendAsync(long owner, string recipient, string name = "Mason", string? note = "a note", string template = "hello") =>
        Database.WriteAsync(
            session => Fixture.Services.GetRequiredService<MailQueue>().AddAsync(session, owner, recipient, template, new() { ["name"] = name, ["note"] = note }), Cancel);

    public Task<long> CountWaitingAsync() => Database.ReadAsync(session => session.QueryFirstAsync("SELECT count(*) FROM mail", static row => row.GetInt64(0)), Cancel);

    /// <summary>The owner's jobs, newest first.</summary>
    public static async Task<JsonElement[]> JobsAsync(HttpClient client)
    {
        using var response = await client.GetAsync("/api/jobs?kind=mail", Cancel);
        return [.. (await response.JsonAsync()).GetProperty("jobs").EnumerateArray()];
    }

    /// <summary>Waits until the owner's newest job is as it should be.</summary>
    public static async Task<JsonElement> WaitForJobAsync(HttpClient client, Func<JsonElement, bool> holds)
    {
        var job = default(JsonElement);
        await Eventually.HoldsAsync(async () => await JobsAsync(client) is [var newest, ..] && holds(job = newest));
        return job;
    }

    public async Task<JsonElement> ReadinessAsync(string dependency)
    {
        using var response = await Fixture.Client.GetAsync("/health/ready", Cancel);
        return (await response.JsonAsync()).GetProperty("dependencies").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == dependency);
    }

    public MailRetentionWorker Worker() => Fixture.Services.GetServices<IHostedService>().OfType<MailRetentionWorker>().Single();

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
