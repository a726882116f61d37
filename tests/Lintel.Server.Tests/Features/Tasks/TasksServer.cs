using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Tasks;

/// <summary>Someone with tasks, signed in.</summary>
internal sealed class Worker(AccountsServer server, Person person) : IDisposable
{
    public Person Person => person;

    public HttpClient Client { get; } = Authorize(server.CreateClient(), person.Tokens.Access);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Worker> NewAsync(AccountsServer server) => new(server, await server.SignInAsync());

    /// <summary>A new session, after the clock was moved past the old one's token.</summary>
    public async Task SignInAgainAsync() => Authorize(Client, (await server.SignInAsync(person.Email)).Access);

    public Task<HttpResponseMessage> PostAsync(object body) => Client.PostAsJsonAsync("/api/tasks", body, Cancel);

    /// <summary>Makes a task, which must be accepted.</summary>
    public async Task<JsonElement> MakeAsync(object body)
    {
        using var response = await PostAsync(body);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return await response.JsonAsync();
    }

    public async Task<Guid> MakeAsync(string title) => Id(await MakeAsync(new { title }));

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request, Cancel);
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }

    /// <summary>The titles of a list, as they come.</summary>
    public async Task<string[]> TitlesAsync(string query = "") =>
        [.. (await GetAsync("/api/tasks" + query)).GetProperty("tasks").EnumerateArray().Select(static task => task.GetProperty("title").GetString()!)];

    public async Task<string[]> NotificationTypesAsync() =>
        [.. (await GetAsync("/api/notifications")).GetProperty("notifications").EnumerateArray().Select(static item => item.GetProperty("type").GetString()!)];

    public void Dispose() => Client.Dispose();

    public static Guid Id(JsonElement task) => task.GetProperty("id").GetGuid();

    private static HttpClient Authorize(HttpClient client, string token)
    {
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
