using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Administration;

/// <summary>Administrators, and what they ask for.</summary>
internal static class Admins
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Somebody new who administers, and signed in after that.</summary>
    public static async Task<Person> AdminAsync(this AccountsServer server)
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET role = 'admin' WHERE id = $1", person.Id);
        return person with { Tokens = await server.SignInAsync(person.Email) };
    }

    public static async Task<HttpResponseMessage> AskAsync(
        this ServerFixture server, string token, HttpMethod method, string path, object? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await server.Client.SendAsync(request, Cancel);
    }

    public static Task<HttpResponseMessage> DoAsync(this ServerFixture server, Person admin, string path, object? body = null) =>
        server.AskAsync(admin.Tokens.Access, HttpMethod.Post, path, body);

    public static Task<HttpResponseMessage> ChangeRoleAsync(this ServerFixture server, Person admin, long id, string role) =>
        server.AskAsync(admin.Tokens.Access, HttpMethod.Put, $"/api/admin/users/{id}/role", new { role });

    public static async Task<System.Text.Json.JsonElement> GetJsonAsync(this ServerFixture server, Person person, string path)
    {
        using var response = await server.AskAsync(person.Tokens.Access, HttpMethod.Get, path);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {response.StatusCode}");
        return await response.JsonAsync();
    }
}
