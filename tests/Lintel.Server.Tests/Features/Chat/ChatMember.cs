using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Chat;

/// <summary>Somebody who chats, signed in.</summary>
internal sealed class ChatMember : IDisposable
{
    private readonly ServerFixture _server;
    private string _token;

    private ChatMember(ServerFixture server, Person person)
    {
        (_server, Person, _token) = (server, person, person.Tokens.Access);
        Client = server.CreateClient();
        Authorize(_token);
    }

    public Person Person { get; }

    public HttpClient Client { get; }

    public string Token => _token;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ChatMember> NewAsync(AccountsServer server) => new(server, await server.SignInAsync());

    /// <summary>As an operator's token has it: no person's own sign-in has this scope.</summary>
    public static async Task<ChatMember> NewModeratorAsync(AccountsServer server)
    {
        var member = await NewAsync(server);
        member.Authorize(TestJwt.Change(member.Token, static claims => claims["scopes"] = new JsonArray("chat", "admin")));
        return member;
    }

    /// <summary>A name that nobody else in the test run has.</summary>
    public static string NewName(string start = "n") => $"{start}-{Guid.CreateVersion7():N}";

    public async Task<ChatClient> LobbyAsync(string name) => await ChatClient.OpenAsync(_server.SocketAddress("/ws/" + Uri.EscapeDataString(name)), _token);

    public async Task<ChatClient> RoomAsync(string room, string? name = null, string query = "") =>
        await ChatClient.OpenAsync(_server.SocketAddress($"/ws/rooms/{Uri.EscapeDataString(room)}?client_id={Uri.EscapeDataString(name ?? NewName())}{query}"), _token);

    /// <summary>The status with which a handshake is refused.</summary>
    public async Task<(HttpStatusCode Status, string? Code)> RefusalAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        return (response.StatusCode, response.StatusCode == HttpStatusCode.SwitchingProtocols ? null : await response.ErrorCodeAsync());
    }

    public Task<HttpResponseMessage> MakeRoomAsync(string name, bool isPrivate = false) =>
        Client.PostAsJsonAsync("/api/rooms", new { name, is_private = isPrivate }, Cancel);

    public async Task<string> NewRoomAsync(bool isPrivate = false)
    {
        var name = NewName("room");
        using var response = await MakeRoomAsync(name, isPrivate);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return name;
    }

    public async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await Client.SendAsync(request, Cancel);
        return response.StatusCode;
    }

    public Task<HttpStatusCode> InviteAsync(string room, ChatMember member) => SendAsync(HttpMethod.Put, $"/api/rooms/{room}/members/{member.Person.Id}");

    public Task<HttpStatusCode> RemoveAsync(string room, ChatMember member) => SendAsync(HttpMethod.Delete, $"/api/rooms/{room}/members/{member.Person.Id}");

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }

    public void Dispose() => Client.Dispose();

    private void Authorize(string token)
    {
        _token = token;
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }
}

/// <summary>A socket in the chat.</summary>
internal sealed class ChatClient : IAsyncDisposable
{
    private ChatClient(SocketClient socket) => Socket = socket;

    public SocketClient Socket { get; }

    /// <summary>The first message, which every socket in the chat gets.</summary>
    public JsonElement Connection { get; private set; }

    public static async Task<ChatClient> OpenAsync(Uri address, string token)
    {
        var client = new ChatClient(await SocketClient.OpenAsync(address, "Authorization", "Bearer " + token));
        client.Connection = await client.NextAsync("connection");
        return client;
    }

    public Task SayAsync(string text) => Socket.SendAsync(new { type = "message", message = text });

    /// <summary>The next message that is kept, or an error; what may be missed is passed over.</summary>
    public async Task<JsonElement> NextAsync()
    {
        while (true)
        {
            var message = await Socket.ReceiveAsync() ?? throw new InvalidOperationException($"The socket was closed: {Socket.CloseReason}");
            if (Type(message) is not ("presence" or "typing" or "disconnect"))
            {
                return message;
            }
        }
    }

    /// <summary>The next message, which must be of that type, but for what may be missed.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        var message = await NextAsync();
        Assert.Equal(type, Type(message));
        return message;
    }

    /// <summary>The next message of a type; others are passed over.</summary>
    public async Task<JsonElement> FindAsync(string type, Func<JsonElement, bool>? matches = null)
    {
        while (true)
        {
            var message = await Socket.ReceiveAsync() ?? throw new InvalidOperationException($"The socket was closed: {Socket.CloseReason}");
            if (Type(message) == type && matches?.Invoke(message) != false)
            {
                return message;
            }
        }
    }

    public async Task<string> NextTextAsync() => Text(await NextAsync("message"), "message")!;

    public static string? Text(JsonElement message, string name) => message.GetProperty(name).GetString();

    public ValueTask DisposeAsync() => Socket.DisposeAsync();

    private static string? Type(JsonElement message) => message.GetProperty("type").GetString();
}
