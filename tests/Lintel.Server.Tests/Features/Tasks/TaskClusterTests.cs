using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Tasks;

/// <summary>Two servers, each a process of its own, on one PostgreSQL.</summary>
public sealed class TaskClusterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_made_on_one_node_is_told_on_the_other_and_reminded_of_once_also_after_the_first_was_killed()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-cluster-");
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        try
        {
            using var first = Start(folder.FullName, database.Url!);
            using var second = Start(folder.FullName, database.Url!);
            using var here = new HttpClient { BaseAddress = await first.ListeningAsync(Cancel) };
            using var there = new HttpClient { BaseAddress = await second.ListeningAsync(Cancel) };
            var token = await SignInAsync(here);
            here.DefaultRequestHeaders.Authorization = there.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var address = new UriBuilder(new Uri(there.BaseAddress!, "/ws/notifications")) { Scheme = "ws" }.Uri;
            await using var socket = await SocketClient.OpenAsync(address, "Authorization", "Bearer " + token);

            await MakeAsync(here, "soon", TimeProvider.System.GetUtcNow().AddSeconds(5));
            Assert.Equal(("task_created", "soon"), await ReadAsync(socket));
            Assert.Equal(("task_due", "soon"), await ReadAsync(socket));

            // What comes next is the next task and not the reminder of the other node.
            await MakeAsync(here, "later", TimeProvider.System.GetUtcNow().AddSeconds(6));
            Assert.Equal(("task_created", "later"), await ReadAsync(socket));
            first.Kill();
            Assert.Equal(("task_due", "later"), await ReadAsync(socket));
            await MakeAsync(there, "last", null);
            Assert.Equal(("task_created", "last"), await ReadAsync(socket));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ServerProcess Start(string folder, string database) => ServerProcess.Start(
        folder,
        ("PORT", "0"),
        ("DATABASE_URL", database),
        ("LINTEL_DATA", Path.Combine(folder, Guid.CreateVersion7().ToString())),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("EXECUTE", "off"),
        ("TASK_REMINDER_MINUTES", "0"));

    private static async Task<string> SignInAsync(HttpClient client)
    {
        var person = new { email = "mason@example.com", password = AccountsServer.Password };
        using var registered = await client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await client.PostAsJsonAsync("/auth/login", person, Cancel);
        return (await Tokens.OfAsync(signedIn)).Access;
    }

    private static async Task MakeAsync(HttpClient client, string title, DateTimeOffset? due)
    {
        using var response = await client.PostAsJsonAsync("/api/tasks", new { title, due_at = due }, Cancel);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    private static async Task<(string? Type, string? Title)> ReadAsync(SocketClient socket)
    {
        var message = await socket.ReceiveAsync() ?? throw new InvalidOperationException("The socket was closed.");
        return (Text(message, "type"), Text(message, "title"));
    }

    private static string? Text(JsonElement message, string name) => message.GetProperty(name).GetString();
}
