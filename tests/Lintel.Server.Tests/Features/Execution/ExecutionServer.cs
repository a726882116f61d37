using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Features.Execution;

/// <summary>A server that runs code, in the real sandbox.</summary>
public abstract class ExecutionServer : ServerFixture
{
    public const string ApiKey = "test-static-key";

    private protected ExecutionServer(TestDatabaseKind kind, params string[] settings)
        : base(kind, ["--EXECUTE=required", "--EXECUTE_CONCURRENCY=20", "--EXECUTE_CONCURRENCY_PER_OWNER=20", "--JOB_CONCURRENCY=40", "--JOB_CONCURRENCY_PER_OWNER=40",
            "--PASSWORD_HASH_ITERATIONS=10000", .. settings])
    {
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A client of the machine that holds the static key.</summary>
    public HttpClient CreateMachine()
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", ApiKey);
        client.Timeout = TimeSpan.FromMinutes(2);
        return client;
    }

    /// <summary>A client of someone new, signed in.</summary>
    public async Task<HttpClient> SignInAsync() => (await SignInWithRefreshTokenAsync()).Client;

    /// <summary>The same, and what signs that person out.</summary>
    public async Task<(HttpClient Client, string RefreshToken)> SignInWithRefreshTokenAsync()
    {
        var tokens = await NewTokensAsync();
        var client = CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("access_token"));
        return (client, tokens.Text("refresh_token")!);
    }

    /// <summary>An access token of someone new.</summary>
    public async Task<string> NewTokenAsync() => (await NewTokensAsync()).Text("access_token")!;

    private async Task<JsonElement> NewTokensAsync()
    {
        var person = new { email = $"mason-{Guid.CreateVersion7():N}@example.com", password = "correct horse battery" };
        using var registered = await Client.PostAsJsonAsync("/auth/register", person, Cancel);
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        using var signedIn = await Client.PostAsJsonAsync("/auth/login", person, Cancel);
        return await signedIn.JsonAsync();
    }

    internal Task<SocketClient> OpenAsync(string query = "") => SocketClient.OpenAsync(SocketAddress("/ws/execute" + query));

    internal Task<SocketClient> OpenWithKeyAsync() => SocketClient.OpenAsync(SocketAddress("/ws/execute"), "X-API-Key", ApiKey);

    internal Task<SocketClient> WatchAsync(string jobId, string query = "") =>
        SocketClient.OpenAsync(SocketAddress($"/ws/jobs/{jobId}{query}"), "X-API-Key", ApiKey);
}

public sealed class SqliteExecutionServer() : ExecutionServer(TestDatabaseKind.Sqlite);

public sealed class PostgresExecutionServer() : ExecutionServer(TestDatabaseKind.Postgres);

/// <summary>Talking with a program.</summary>
internal static class Programs
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    extension(HttpClient client)
    {
        /// <summary>Runs a program that must be accepted, to its end.</summary>
        public async Task<JsonElement> ExecuteAsync(object body)
        {
            using var response = await client.PostAsJsonAsync("/api/execute", body, Cancel);
            var json = await response.JsonAsync();
            Assert.True(response.StatusCode == HttpStatusCode.OK, json.ToString());
            return json;
        }
    }

    extension(SocketClient socket)
    {
        /// <summary>Begins a program; the credentials are the handshake's.</summary>
        public Task StartAsync(string code, string language = "python") => socket.SendAsync(new { type = "execute", code, language });

        /// <summary>The next message of that type; others before it are passed over.</summary>
        public async Task<JsonElement> NextAsync(string type)
        {
            while (await socket.ReceiveAsync() is { } message)
            {
                if (message.Text("type") == type)
                {
                    return message;
                }
            }

            throw new InvalidOperationException($"The socket closed with {socket.CloseStatus} {socket.CloseReason} before a message of type {type} came.");
        }

        /// <summary>The job's id, once the program runs.</summary>
        public async Task<string> RunningAsync()
        {
            while (true)
            {
                var status = await socket.NextAsync("status");
                if (status.Text("status") == "running")
                {
                    return status.Text("job_id")!;
                }
            }
        }

        /// <summary>Reads output until it has that text, and returns all of it.</summary>
        public async Task<string> ReadUntilAsync(string text)
        {
            var all = "";
            while (!all.Contains(text, StringComparison.Ordinal))
            {
                all += (await socket.NextAsync("output")).Text("data");
            }

            return all;
        }
    }

    extension(JsonElement element)
    {
        public string? Text(string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;

        public int Number(string name) => element.GetProperty(name).GetInt32();
    }

    public static string Output(this IEnumerable<JsonElement> messages, string stream = "stdout") =>
        string.Concat(messages.Where(message => message.Text("type") == "output" && message.Text("stream") == stream).Select(static message => message.Text("data")));
}
