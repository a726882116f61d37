using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

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
        var person = new { email = "mason@example.com", password = "correct horse battery" };
        using var registered = await server.Client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await server.Client.PostAsJsonAsync("/auth/login", person, Cancel);
        var tokens = await signedIn.JsonAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("access_token"));
        var (job, token) = await CreateAsync(client);

        using var signedOut = await client.PostAsJsonAsync("/auth/logout", new { refresh_token = tokens.Text("refresh_token") }, Cancel);

        Assert.Equal(Refused, await UseAsync(server, job, token));
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
