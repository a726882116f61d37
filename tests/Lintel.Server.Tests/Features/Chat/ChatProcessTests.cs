using System.Net.Http.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Chat;

/// <summary>Servers as processes of their own, which are killed, or are two on one PostgreSQL.</summary>
public sealed class ChatProcessTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lintel-chat-");
    private string _token = "";
    private string _other = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task After_the_server_was_killed_history_goes_on_without_a_gap_or_a_repeat(TestDatabaseKind kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        List<(string Id, string Text)> seen = [];
        var said = 0;
        for (var life = 0; life < 3; life++)
        {
            using var server = Start("a", database.Url);
            var address = await server.ListeningAsync(Cancel);
            await SignInAsync(address);
            await using var reader = await OpenAsync(address, _token, "mason", seen.Count == 0 ? "" : "&after=" + seen[^1].Id);
            await using var writer = await OpenAsync(address, _token, "writer", "&history=0");
            var until = said + 40;
            while (said < until)
            {
                await writer.SayAsync($"t{said++}");
            }

            // Some of them are on their way when it is killed; what was told was kept.
            for (var i = 0; i < 25; i++)
            {
                var message = await reader.NextAsync("message");
                seen.Add((ChatClient.Text(message, "id")!, ChatClient.Text(message, "message")!));
            }

            server.Kill();
        }

        using var last = Start("a", database.Url);
        var end = await last.ListeningAsync(Cancel);
        await using var rest = await OpenAsync(end, _token, "mason", "&after=" + seen[^1].Id);
        await rest.SayAsync("end");
        while (seen[^1].Text != "end")
        {
            var message = await rest.NextAsync("message");
            seen.Add((ChatClient.Text(message, "id")!, ChatClient.Text(message, "message")!));
        }

        // Numbered without a hole, and in the order in which they were said.
        Assert.Equal(Enumerable.Range(1, seen.Count), seen.Select(static item => int.Parse(item.Id[(item.Id.LastIndexOf('.') + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
        var numbers = seen.SkipLast(1).Select(static item => int.Parse(item.Text[1..], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(numbers.Order().Distinct(), numbers);
        Assert.True(numbers.Length >= 75);
    }

    [Fact]
    public async Task Two_nodes_have_one_order_one_presence_and_one_holder_of_a_name_and_a_killed_one_gives_it_back()
    {
        await using var database = await TestDatabase.CreateAsync(TestDatabaseKind.Postgres);
        using var first = Start("a", database.Url);
        var here = await first.ListeningAsync(Cancel);
        using var second = Start("b", database.Url);
        var there = await second.ListeningAsync(Cancel);
        await SignInAsync(here);
        await using var one = await OpenAsync(here, _token, "mason");
        await using var two = await OpenAsync(there, _other, "carpenter");
        await one.FindAsync("presence", static presence => presence.GetProperty("total").GetInt32() == 2);
        await two.FindAsync("presence", static presence => presence.GetProperty("total").GetInt32() == 2);
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() => OpenAsync(there, _other, "MASON"));

        await Task.WhenAll(TalkAsync(one, "a"), TalkAsync(two, "b"));
        var (order, same) = (await ReadAsync(one, 60), await ReadAsync(two, 60));
        Assert.Equal(order, same);
        await one.Socket.SendAsync(new { type = "typing" });
        await two.FindAsync("typing");

        // Whoever is known to the dead node alone is gone with it: told, and free to be taken.
        first.Kill();
        await two.FindAsync("disconnect", static message => ChatClient.Text(message, "message") == "mason left");
        await two.FindAsync("presence", static presence => presence.GetProperty("total").GetInt32() == 1);
        await using var taken = await OpenAsync(there, _other, "mason", "&after=0");
        Assert.Equal(order, await ReadAsync(taken, 60));
    }

    private static async Task TalkAsync(ChatClient client, string who)
    {
        for (var i = 0; i < 30; i++)
        {
            await client.SayAsync($"{who}{i}");
        }
    }

    private static async Task<List<string>> ReadAsync(ChatClient client, int count)
    {
        List<string> texts = [];
        while (texts.Count < count)
        {
            texts.Add(ChatClient.Text(await client.FindAsync("message"), "message")!);
        }

        return texts;
    }

    private static Task<ChatClient> OpenAsync(Uri server, string token, string name, string query = "") =>
        ChatClient.OpenAsync(new UriBuilder(new Uri(server, $"/ws/rooms/site?client_id={name}{query}")) { Scheme = "ws" }.Uri, token);

    private ServerProcess Start(string node, string? database) => ServerProcess.Start(
        _folder.FullName,
        ("PORT", "0"),
        ("DATABASE_URL", database ?? ""),
        ("LINTEL_DATA", Path.Combine(_folder.FullName, node)),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("EXECUTE", "off"));

    private async Task SignInAsync(Uri server)
    {
        if (_token.Length > 0)
        {
            return;
        }

        using var client = new HttpClient { BaseAddress = server };
        _token = await SignInAsync(client, "mason@example.com");
        _other = await SignInAsync(client, "carpenter@example.com");
    }

    private static async Task<string> SignInAsync(HttpClient client, string email)
    {
        var person = new { email, password = AccountsServer.Password };
        using var registered = await client.PostAsJsonAsync("/auth/register", person, Cancel);
        using var signedIn = await client.PostAsJsonAsync("/auth/login", person, Cancel);
        return (await Tokens.OfAsync(signedIn)).Access;
    }
}
