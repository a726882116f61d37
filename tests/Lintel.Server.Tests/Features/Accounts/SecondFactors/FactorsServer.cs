using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lintel.Features.Accounts.SecondFactors.Codes;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>A server at the address of which the standard's own passkeys are, with what tests of second factors do again and again.</summary>
public abstract class FactorsServer : AccountsServer
{
    private protected FactorsServer(TestDatabaseKind kind, params string[] settings)
        : base(kind, new MovableClock(), ["--PUBLIC_URL=https://example.org", "--MAIL_PER_OWNER_PER_HOUR=1000", .. settings])
    {
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Tokens tokens, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Access);
        return await Client.SendAsync(request, Cancel);
    }

    public Task<HttpResponseMessage> PostAsync(string path, Tokens tokens, object? body = null) => SendAsync(HttpMethod.Post, path, tokens, body);

    /// <summary>Adds an authenticator app.</summary>
    internal async Task<TestApp> AddAppAsync(Tokens tokens)
    {
        using var started = await PostAsync("/auth/2fa/totp", tokens);
        Assert.Equal(HttpStatusCode.OK, started.StatusCode);
        var app = new TestApp(TestApp.Decode((await started.JsonAsync()).GetProperty("secret").GetString()!), Clock);
        using var confirmed = await PostAsync("/auth/2fa/totp/confirm", tokens, new { code = app.Code() });
        Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        app.RecoveryCodes = Texts((await confirmed.JsonAsync()).GetProperty("recovery_codes"));
        return app;
    }

    /// <summary>Someone new with an authenticator app, signed in.</summary>
    internal async Task<(Person Person, TestApp App)> SignInWithAppAsync()
    {
        var person = await SignInAsync();
        return (person, await AddAppAsync(person.Tokens));
    }

    public Task<HttpResponseMessage> LoginAsync(string email, string? deviceToken = null) =>
        PostAsync("/auth/login", new { email, password = Password, device_token = deviceToken });

    /// <summary>The challenge of a sign-in with the password.</summary>
    public async Task<string> ChallengeAsync(string email)
    {
        using var response = await LoginAsync(email);
        return await ChallengeOfAsync(response);
    }

    public static async Task<string> ChallengeOfAsync(HttpResponseMessage response)
    {
        Assert.Equal((HttpStatusCode.Unauthorized, "AUTH_2FA_REQUIRED"), (response.StatusCode, await response.ErrorCodeAsync()));
        return (await DetailsAsync(response)).GetProperty("challenge").GetString()!;
    }

    public static async Task<JsonElement> DetailsAsync(HttpResponseMessage response) => (await response.JsonAsync()).GetProperty("error").GetProperty("details");

    public static string[] Texts(JsonElement array) => array.ValueKind == JsonValueKind.Null ? [] : [.. array.EnumerateArray().Select(static item => item.GetString()!)];

    public Task<HttpResponseMessage> AnswerAsync(string challenge, string code) => PostAsync("/auth/2fa", new { challenge, code });

    public Task<HttpResponseMessage> RecoverAsync(string challenge, string code) => PostAsync("/auth/2fa", new { challenge, recovery_code = code });

    /// <summary>The status and, of an error, its code: <c>401 AUTH_TOKEN_INVALID</c>.</summary>
    public static async Task<string> OutcomeAsync(HttpResponseMessage response)
    {
        using (response)
        {
            return response.IsSuccessStatusCode ? $"{(int)response.StatusCode}" : $"{(int)response.StatusCode} {await response.ErrorCodeAsync()}";
        }
    }

    /// <summary>Makes the session's last proof too old for dangerous operations.</summary>
    public Task MakeStaleAsync(Tokens tokens) => ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE id = $1", tokens.SessionId);

    /// <summary>Waits until a message of this subject has come to somebody, and tells how many have.</summary>
    public async Task<int> CountMailAsync(string email, string subject) => (await MailFolder.WaitAsync(DataFolder, 1, email, $"Subject: {subject}")).Length;
}

public sealed class SqliteFactorsServer() : FactorsServer(TestDatabaseKind.Sqlite);

public sealed class PostgresFactorsServer() : FactorsServer(TestDatabaseKind.Postgres);

/// <summary>An authenticator app, by the server's clock. Each code that it gives is a later one than the last: a person waits for the next, a test moves the clock.</summary>
internal sealed class TestApp(byte[] secret, MovableClock clock)
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private long _last;

    public string[] RecoveryCodes { get; set; } = [];

    public byte[] Secret => secret;

    /// <summary>A code that was not given before.</summary>
    public string Code()
    {
        while (OneTimeCode.StepAt(clock.GetUtcNow()) <= _last)
        {
            clock.Advance(TimeSpan.FromSeconds(30));
        }

        _last = OneTimeCode.StepAt(clock.GetUtcNow());
        return OneTimeCode.Compute(secret, _last);
    }

    /// <summary>A code that is none of now.</summary>
    public string WrongCode()
    {
        var step = OneTimeCode.StepAt(clock.GetUtcNow());
        string[] near = [.. Enumerable.Range(-3, 7).Select(i => OneTimeCode.Compute(secret, step + i))];
        return Enumerable.Range(0, 10).Select(i => $"{i}{i}{i}{i}{i}{i}").First(code => !near.Contains(code));
    }

    public static byte[] Decode(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString(Base32.IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(8 * i, 8), 2))];
    }
}
