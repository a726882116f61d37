using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Webhooks;

/// <summary>Webhooks across the deaths of servers, each a process of its own.</summary>
public sealed class WebhookProcessTests
{
    private const string Email = "mason@example.com";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task What_was_sent_when_the_server_died_is_sent_again_under_its_id(TestDatabaseKind kind)
    {
        var folder = Directory.CreateTempSubdirectory("lintel-webhooks-");
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        var answering = new TaskCompletionSource();
        receiver.Next(async context => await answering.Task.WaitAsync(context.RequestAborted));
        try
        {
            string secret;
            Received first;
            using (var server = Start(folder.FullName, database.Url))
            {
                using var client = await ConnectAsync(server);
                secret = await HookAsync(client, receiver.Url);
                await TaskAsync(client, "first");
                first = await receiver.ReceiveAsync();
                await TaskAsync(client, "second");

                // It is sent, and the server will never know what became of it.
                server.Kill();
                answering.SetResult();
            }

            using (var server = Start(folder.FullName, database.Url))
            {
                await server.ListeningAsync(Cancel);
                var again = await receiver.ReceiveAsync();
                var second = await receiver.ReceiveAsync();

                Assert.Equal((first.Id, Convert.ToHexString(first.Body)), (again.Id, Convert.ToHexString(again.Body)));
                Assert.Equal([again.Sign(secret)], again.Signatures);
                Assert.Equal("second", second.Data.GetProperty("title").GetString());
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Of_two_nodes_one_sends_at_a_time_and_the_other_goes_on_when_it_is_killed()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-webhooks-");
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        await using var receiver = await Receiver.StartAsync();
        try
        {
            using var one = Start(folder.FullName, database.Url);
            using var here = await ConnectAsync(one);
            using var other = Start(folder.FullName, database.Url);
            using var there = await ConnectAsync(other);
            await HookAsync(here, receiver.Url);
            await Task.WhenAll(Enumerable.Range(0, 20).SelectMany(i => new[] { TaskAsync(here, $"here {i}"), TaskAsync(there, $"there {i}") }));
            var seen = new Dictionary<string, int>(StringComparer.Ordinal);
            while (seen.Count < 40)
            {
                Assert.True(seen.TryAdd((await receiver.ReceiveAsync()).Id, 1));
            }

            Assert.Equal(1, receiver.MostConcurrent);

            // Both at work without end; one of them dies, whichever is sending.
            receiver.Answer = static context => Task.Delay(20, context.RequestAborted);
            await Task.WhenAll(Enumerable.Range(0, 100).Select(i => TaskAsync(there, $"n{i}")));
            one.Kill();
            var titles = new List<string>();
            while (titles.Count < 100)
            {
                var received = await receiver.ReceiveAsync();

                // At least once: what was on its way comes again, and nothing before it.
                if (seen.TryAdd(received.Id, 1))
                {
                    titles.Add(received.Data.GetProperty("title").GetString()!);
                }
                else
                {
                    Assert.Equal(titles[^1], received.Data.GetProperty("title").GetString());
                }
            }

            Assert.Equal(100, titles.Distinct().Count());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ServerProcess Start(string folder, string? database) => ServerProcess.Start(
        folder,
        ("PORT", "0"),
        ("DATABASE_URL", database ?? $"sqlite:///{folder}/lintel.db"),
        ("LINTEL_DATA", database is null ? Path.Combine(folder, "data") : Path.Combine(folder, Guid.CreateVersion7().ToString())),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("EXECUTE", "off"),
        ("MAIL", "off"),
        ("RATE_LIMIT_REQUESTS", "10000"),
        ("WEBHOOK_ALLOW", "127.0.0.1"),
        ("WEBHOOK_ALLOW_HTTP", "true"),
        ("WEBHOOK_TIMEOUT_SECONDS", "60"),

        // Not even where the environment has one.
        ("HTTP_PROXY", "http://127.0.0.1:9/"),
        ("ALL_PROXY", "http://127.0.0.1:9/"));

    private static async Task<HttpClient> ConnectAsync(ServerProcess server)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = await server.ListeningAsync(Cancel) };
        var person = new { email = Email, password = AccountsServer.Password };
        using var registered = await client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await client.PostAsJsonAsync("/auth/login", person, Cancel);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await Tokens.OfAsync(signedIn)).Access);
        return client;
    }

    private static async Task<string> HookAsync(HttpClient client, string url)
    {
        using var response = await client.PostAsJsonAsync("/api/webhooks", new { url, events = new[] { "task.created" } }, Cancel);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.JsonAsync()).GetProperty("secret").GetString()!;
    }

    private static async Task TaskAsync(HttpClient client, string title)
    {
        using var response = await client.PostAsJsonAsync("/api/tasks", new { title }, Cancel);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }
}
