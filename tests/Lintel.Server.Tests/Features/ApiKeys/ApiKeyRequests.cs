using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.ApiKeys;

/// <summary>Requests about keys, and with them.</summary>
internal static class ApiKeyRequests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    extension(ServerFixture server)
    {
        public Task<HttpResponseMessage> CreateKeyAsync(string accessToken, object body) =>
            server.SendAsync(HttpMethod.Post, "/api/keys", body, ("Authorization", "Bearer " + accessToken));

        /// <summary>A new key of someone who is signed in.</summary>
        public async Task<NewKey> NewKeyAsync(string accessToken, string[]? scopes = null, object? expiresAt = null, int? rateLimit = null)
        {
            using var response = await server.CreateKeyAsync(
                accessToken, new { name = "a program", scopes = scopes ?? ["design"], expires_at = expiresAt, rate_limit = rateLimit });
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            var json = await response.JsonAsync();
            return new(json.GetProperty("id").GetGuid(), json.GetProperty("key").GetString()!, json);
        }

        public async Task<JsonElement> KeysAsync(string accessToken, string query = "")
        {
            using var response = await server.SendAsync(HttpMethod.Get, "/api/keys" + query, null, ("Authorization", "Bearer " + accessToken));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.JsonAsync();
        }

        public async Task<HttpStatusCode> RevokeKeyAsync(string accessToken, Guid id)
        {
            using var response = await server.SendAsync(HttpMethod.Delete, $"/api/keys/{id}", null, ("Authorization", "Bearer " + accessToken));
            return response.StatusCode;
        }

        /// <summary>What becomes of a request with this key: null where it is taken, else the error's code.</summary>
        public async Task<string?> TryKeyAsync(string key)
        {
            using var response = await server.SendAsync(HttpMethod.Get, "/auth/me", null, ("X-API-Key", key));
            return response.IsSuccessStatusCode ? null : await response.ErrorCodeAsync();
        }

        public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            return await server.Client.SendAsync(request, Cancel);
        }
    }

    extension(AccountsServer server)
    {
        /// <summary>A key that was made an operator's in the database, as the operations manual says.</summary>
        public async Task<string> NewAdminKeyAsync(string accessToken)
        {
            var key = await server.NewKeyAsync(accessToken);
            await server.ExecuteAsync("UPDATE account SET role = 'admin' WHERE id = (SELECT account_id FROM api_key WHERE prefix = $1)", key.Json.GetProperty("prefix").GetString());
            Assert.Equal(1, await server.ExecuteAsync("UPDATE api_key SET scopes = scopes | 32 WHERE prefix = $1", key.Json.GetProperty("prefix").GetString()));
            return key.Text;
        }
    }
}

internal sealed record NewKey(Guid Id, string Text, JsonElement Json);
