using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Execution;

/// <summary>Tokens that let a browser run one program. Whether one is good shows before any sandbox is asked for.</summary>
public sealed class JobTokenTests
{
    private const string Refused = "Invalid or expired token";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task A_token_is_good_once_for_its_job_for_a_quarter_of_an_hour(TestDatabaseKind kind)
    {
        var clock = new MovableClock();
        await using var server = await ServerFixture.StartAsync([], builder => builder.Services.AddSingleton<TimeProvider>(clock), kind: kind);
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ExecutionServer.ApiKey);
        var (first, firstToken) = await CreateAsync(client);
        var (second, secondToken) = await CreateAsync(client);
        var (late, lateToken) = await CreateAsync(client);

        Assert.StartsWith("Running code is turned off", await UseAsync(server, first, firstToken), StringComparison.Ordinal);
        Assert.Equal(Refused, await UseAsync(server, first, firstToken));
        Assert.Equal(Refused, await UseAsync(server, first, secondToken));
        Assert.Equal(Refused, await UseAsync(server, second, secondToken));
        clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(Refused, await UseAsync(server, late, lateToken));
    }

    [Fact]
    public async Task Signing_out_ends_a_person_s_tokens()
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000"]);
        var (client, refresh) = await SignInAsync(server);
        using var signedInAs = client;
        var (job, token) = await CreateAsync(client);

        using var signedOut = await client.PostAsJsonAsync("/auth/logout", new { refresh_token = refresh }, Cancel);

        Assert.Equal(Refused, await UseAsync(server, job, token));
    }

    [Fact]
    public async Task A_key_s_tokens_end_with_the_key()
    {
        var clock = new MovableClock();
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000"], builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var (client, _) = await SignInAsync(server);
        using var signedInAs = client;
        using var key = await client.PostAsJsonAsync(
            "/api/keys", new { name = "ci", scopes = new[] { "execute" }, expires_at = clock.GetUtcNow().AddMinutes(5) }, Cancel);
        using var program = server.CreateClient();
        program.DefaultRequestHeaders.Add("X-API-Key", (await key.JsonAsync()).Text("key"));
        var (job, token) = await CreateAsync(program);
        var (late, lateToken) = await CreateAsync(program);

        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.StartsWith("Running code is turned off", await UseAsync(server, job, token), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Refused, await UseAsync(server, late, lateToken));
    }

    [Fact]
    public async Task A_revocation_is_remembered_as_long_as_a_token_lives()
    {
        var clock = new MovableClock();
        await using var server = await ServerFixture.StartAsync(
            ["--PASSWORD_HASH_ITERATIONS=10000", "--ACCESS_TOKEN_EXPIRE_MINUTES=1"], builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var (client, refresh) = await SignInAsync(server);
        using var signedInAs = client;
        var (job, token) = await CreateAsync(client);
        using var signedOut = await client.PostAsJsonAsync("/auth/logout", new { refresh_token = refresh }, Cancel);
        Assert.Equal(System.Net.HttpStatusCode.OK, signedOut.StatusCode);

        clock.Advance(TimeSpan.FromMinutes(14));
        foreach (var worker in server.Services.GetServices<IHostedService>().OfType<RetentionWorker>())
        {
            worker.ForgetHere();
            await worker.ForgetAsync(Cancel);
        }

        Assert.Equal(Refused, await UseAsync(server, job, token));
    }

    private static async Task<(HttpClient Client, string Refresh)> SignInAsync(ServerFixture server)
    {
        var person = new { email = "mason@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        var tokens = await signedIn.JsonAsync();
        var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("access_token"));
        return (client, tokens.Text("refresh_token")!);
    }

    private static async Task<(string Job, string Token)> CreateAsync(HttpClient client)
    {
        using var created = await client.PostAsync("/api/jobs/create", null, Cancel);
        var grant = await created.JsonAsync();
        return (grant.Text("job_id")!, grant.Text("job_token")!);
    }

    /// <summary>What a socket that shows the token is told.</summary>
    private static async Task<string?> UseAsync(ServerFixture server, string job, string token)
    {
        await using var socket = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"));
        await socket.SendAsync(new { type = "execute", code = "print(1)", language = "python", job_id = job, job_token = token });
        var told = (await socket.NextAsync("error")).Text("message");
        await socket.AssertClosedAsync(told == Refused ? WebSocketCloseStatus.PolicyViolation : WebSocketCloseStatus.InternalServerError);
        return told;
    }
}
