using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Client;

/// <summary>A registered person; made with an ordinary HTTP client, since nothing is measured here.</summary>
internal sealed record Account(long Id, string Email, string Password, string AccessToken, string RefreshToken)
{
    public static async Task<Account> CreateAsync(ChildServer server, string name, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server.Url };
        var email = $"{name}@bench.example";
        const string password = "a long enough passphrase";

        using var registered = await http.PostAsJsonAsync("/auth/register", new { email, password, name }, cancellationToken);
        registered.EnsureSuccessStatusCode();
        var user = await registered.Content.ReadFromJsonAsync<User>(cancellationToken) ?? throw new IOException("The registration answered null.");

        using var signedIn = await http.PostAsJsonAsync("/auth/login", new { email, password }, cancellationToken);
        signedIn.EnsureSuccessStatusCode();
        var tokens = await signedIn.Content.ReadFromJsonAsync<Tokens>(cancellationToken)
            ?? throw new IOException("The login answered null.");
        return new Account(user.Id, email, password, tokens.AccessToken, tokens.RefreshToken);
    }

    private sealed record User([property: JsonPropertyName("id")] long Id);

    private sealed record Tokens(
        [property: JsonPropertyName("access_token")] string AccessToken,
        [property: JsonPropertyName("refresh_token")] string RefreshToken);
}
