using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts;

/// <summary>A server whose clock can be moved and whose passwords are hashed quickly.</summary>
public abstract class AccountsServer : ServerFixture
{
    public const string Password = "correct horse battery";

    private protected AccountsServer(TestDatabaseKind kind, MovableClock clock, params string[] settings)
        : this(kind, clock, static _ => { }, settings)
    {
    }

    private protected AccountsServer(TestDatabaseKind kind, MovableClock clock, Action<IServiceCollection> replace, params string[] settings)
        : base(
            kind,
            ["--PASSWORD_HASH_ITERATIONS=10000", "--PASSWORD_HASH_QUEUE=1000", .. settings],
            builder => replace(builder.Services.AddSingleton<TimeProvider>(clock))) => Clock = clock;

    public MovableClock Clock { get; }

    internal Database Database => Services.GetRequiredService<Database>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static string NewEmail() => $"mason-{Guid.CreateVersion7():N}@example.com";

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body, Cancel);

    public async Task<HttpResponseMessage> GetMeAsync(string accessToken, string path = "/auth/me")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await Client.SendAsync(request, Cancel);
    }

    public async Task<HttpStatusCode> StatusOfMeAsync(string accessToken)
    {
        using var response = await GetMeAsync(accessToken);
        return response.StatusCode;
    }

    /// <summary>Someone new, signed in.</summary>
    public async Task<Person> SignInAsync()
    {
        var email = NewEmail();
        using var registered = await PostAsync("/auth/register", new { email, password = Password });
        Assert.Equal(HttpStatusCode.Created, registered.StatusCode);
        var id = (await registered.JsonAsync()).GetProperty("id").GetInt64();
        return new Person(id, email, await SignInAsync(email));
    }

    /// <summary>One more session of someone who is registered.</summary>
    public async Task<Tokens> SignInAsync(string email)
    {
        using var signedIn = await PostAsync("/auth/login", new { email, password = Password });
        return await Tokens.OfAsync(signedIn);
    }

    public Task<HttpResponseMessage> RefreshAsync(string refreshToken) => PostAsync("/auth/refresh", new { refresh_token = refreshToken });

    public Task<HttpResponseMessage> LogoutAsync(string refreshToken) => PostAsync("/auth/logout", new { refresh_token = refreshToken });

    public async Task<string?> RefreshErrorAsync(string refreshToken)
    {
        using var response = await RefreshAsync(refreshToken);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        return await response.ErrorCodeAsync();
    }

    public async Task<string?> MeErrorAsync(string accessToken)
    {
        using var response = await GetMeAsync(accessToken);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        return await response.ErrorCodeAsync();
    }

    public Task<int> ExecuteAsync(string sql, params object?[] values) =>
        Database.WriteAsync(session => session.ExecuteAsync(sql, values), Cancel);

    public Task<long> CountAsync(string sql, params object?[] values) =>
        Database.ReadAsync(session => session.QueryFirstAsync(sql, static row => row.GetInt64(0), values), Cancel);

    public Task LockAsync(Person person) => ExecuteAsync("UPDATE account SET is_active = FALSE WHERE id = $1", person.Id);
}

public sealed class SqliteAccountsServer() : AccountsServer(TestDatabaseKind.Sqlite, new MovableClock());

public sealed class PostgresAccountsServer() : AccountsServer(TestDatabaseKind.Postgres, new MovableClock());

public sealed record Person(long Id, string Email, Tokens Tokens);

public sealed record Tokens(string Access, string Refresh)
{
    public Guid SessionId => Claims(Access).GetProperty("sid").GetGuid();

    public static async Task<Tokens> OfAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var json = await response.JsonAsync();
        return new Tokens(json.GetProperty("access_token").GetString()!, json.GetProperty("refresh_token").GetString()!);
    }

    public static JsonElement Claims(string token) => TestJwt.Payload(token);
}
