using System.Net.Http.Headers;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>What tests of sessions do on whatever server.</summary>
internal static class SessionsClient
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<HttpResponseMessage> SendAsync(this ServerFixture server, HttpMethod method, string path, Tokens tokens)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Access);
        return await server.Client.SendAsync(request, Cancel);
    }

    public static async Task<JsonElement[]> SessionsAsync(this ServerFixture server, Tokens tokens)
    {
        using var response = await server.SendAsync(HttpMethod.Get, "/auth/sessions", tokens);
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        var list = await response.JsonAsync();
        Assert.Equal(JsonValueKind.Null, list.GetProperty("next").ValueKind);
        return [.. list.GetProperty("sessions").EnumerateArray()];
    }

    public static Task<HttpResponseMessage> EndAsync(this ServerFixture server, Tokens by, Guid session) =>
        server.SendAsync(HttpMethod.Delete, $"/auth/sessions/{session}", by);

    /// <summary>A sign-in of somebody who is registered, from a place of its own.</summary>
    public static async Task<Tokens> SignInAsync(this ServerFixture server, string email, string userAgent, string? address = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/login")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { email, password = AccountsServer.Password }),
        };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        if (address is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        }

        using var response = await server.Client.SendAsync(request, Cancel);
        return await Tokens.OfAsync(response);
    }
}
