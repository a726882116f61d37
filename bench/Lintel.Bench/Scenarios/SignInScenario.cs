using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;
using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.Keys;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Account = Lintel.Bench.Client.Account;
using TokenOptions = Lintel.Features.Accounts.Credentials.TokenOptions;

namespace Lintel.Bench.Scenarios;

/// <summary>What accounts cost: a login besides its hash, the check of an access token, and how soon a revocation is everywhere.</summary>
internal sealed class SignInScenario : IScenario
{
    // The fewest that a server takes: the rest of a login is the same, and would be lost in the noise of a longer hash.
    private const int Iterations = 10_000;
    private const int Sockets = 200;

    // So many that none of them comes to the most sessions that an account may have: a login that ends an old session is another thing.
    private const int People = 8;

    private const int Tokens = 10_000;
    private const double BesidesLimit = 3;
    private const double CheckLimit = 15;
    private const double RevocationLimit = 100;

    public string Name => "sign-in";

    public string About => "a login besides its hash; an access token checked; 200 sockets closed by a revocation";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string> { ["PASSWORD_HASH_ITERATIONS"] = Iterations.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        await using var server = await stage.StartServerAsync(stage.NewFolder(), settings, cancellationToken);
        List<Account> people = [];
        for (var i = 0; i < People; i++)
        {
            people.Add(await Account.CreateAsync(server, $"sign-in{i}", cancellationToken));
        }

        var watcher = await Account.CreateAsync(server, "revocation", cancellationToken);
        using var http = new HttpClient { BaseAddress = server.Url };

        var (login, hash) = await MeasureLoginsAsync(stage, http, people, cancellationToken);
        var (first, again) = MeasureChecks(stage, cancellationToken);
        var revocation = await MeasureRevocationsAsync(stage, server, http, watcher, cancellationToken);

        // A machine's other work is added to both, and to the longer one more; so what a login costs shows where there was little of it.
        var besides = login.FastestTenth - hash.FastestTenth;
        return new Findings()
            .Add(new Row(
                "a login besides its hash, p10", Show.Milliseconds(besides), $"login {Show.Milliseconds(login.FastestTenth)}, hash {Show.Milliseconds(hash.FastestTenth)}",
                Target: "<= 3 ms", Met: besides <= BesidesLimit))
            .Add(new Row(
                "a login besides its hash, p50", Show.Milliseconds(login.Median - hash.Median), $"login {login.Show(Show.Milliseconds)}, hash {hash.Show(Show.Milliseconds)}"))
            .Add(new Row("an access token checked, never seen before", first.Show(Show.Microseconds), $"seen before {again.Show(Show.Microseconds)}", Target: "<= 15 us", Met: first.Median <= CheckLimit))
            .Add(new Row($"revocation to the close of {Sockets} sockets", revocation.Show(Show.Milliseconds), Target: "<= 100 ms", Met: revocation.Median <= RevocationLimit))
            .Note($"logins at {Iterations:N0} rounds, by turns with the same hash in the benchmark's process; the check of a token has no database to ask.");
    }

    private static async Task<(Sample Login, Sample Hash)> MeasureLoginsAsync(Stage stage, HttpClient http, List<Account> people, CancellationToken cancellationToken)
    {
        var hasher = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));
        var kept = hasher.HashPassword(http, people[0].Password);
        List<double> logins = [], hashes = [];
        var count = stage.Quick ? 50 : 300;
        for (var i = -count / 3; i < count; i++)
        {
            var account = people[(i + count) % People];
            var started = Stopwatch.GetTimestamp();
            using var response = await http.PostAsJsonAsync("/auth/login", new { email = account.Email, password = account.Password }, cancellationToken);
            var login = Stopwatch.GetElapsedTime(started);
            response.EnsureSuccessStatusCode();

            started = Stopwatch.GetTimestamp();
            hasher.VerifyHashedPassword(http, kept, account.Password);
            var hash = Stopwatch.GetElapsedTime(started);
            if (i >= 0)
            {
                logins.Add(login.TotalMilliseconds);
                hashes.Add(hash.TotalMilliseconds);
            }
        }

        return (new(logins), new(hashes));
    }

    private static (Sample First, Sample Again) MeasureChecks(Stage stage, CancellationToken cancellationToken)
    {
        var options = new TokenOptions
        {
            SecretKey = RandomNumberGenerator.GetBytes(32),
            Algorithm = SigningAlgorithm.HS256,
            SigningKeyPeriod = TimeSpan.FromDays(30),
            AccessTokenLifetime = TimeSpan.FromHours(1),
            RefreshTokenLifetime = TimeSpan.FromDays(1),
        };

        // None are looked for: these tokens are signed with the secret key.
        using var keys = new SigningKeys(null!, null!, TimeProvider.System);
        var signer = new TokenSigner(options, keys);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var tokens = Enumerable.Range(1, Tokens)
            .Select(id => new SessionGrant(id, $"person{id}@bench.example", "user", Guid.CreateVersion7(), 1, Guid.CreateVersion7(), now, now + 3600).ToPair(signer, options).AccessToken)
            .ToArray();

        List<double> first = [], again = [];
        for (var round = -1; round < stage.Rounds; round++)
        {
            // It remembers nothing yet.
            cancellationToken.ThrowIfCancellationRequested();
            var checks = new AccessTokens(new TokenReader(options, keys), keys, new RevokedCredentials(TimeProvider.System), options, TimeProvider.System);
            var (cold, warm) = (Check(checks, tokens), Check(checks, tokens));
            if (round >= 0)
            {
                first.Add(cold);
                again.Add(warm);
            }
        }

        return (new(first), new(again));
    }

    /// <summary>Microseconds for each.</summary>
    private static double Check(AccessTokens checks, string[] tokens)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var token in tokens)
        {
            var check = checks.VerifyAsync(token);
            if (!check.IsCompletedSuccessfully || check.Result.Caller is null)
            {
                throw new InvalidOperationException("A valid token was refused.");
            }
        }

        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / tokens.Length;
    }

    private static async Task<Sample> MeasureRevocationsAsync(Stage stage, ChildServer server, HttpClient http, Account account, CancellationToken cancellationToken)
    {
        List<double> times = [];
        for (var round = -1; round < stage.Rounds; round++)
        {
            using var signedIn = await http.PostAsJsonAsync("/auth/login", new { email = account.Email, password = account.Password }, cancellationToken);
            var token = (await signedIn.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonObject>(cancellationToken))!["access_token"]!.GetValue<string>();
            var sockets = new List<ClientWebSocket>();
            try
            {
                for (var i = 0; i < Sockets; i++)
                {
                    sockets.Add(await ConnectAsync(server, token, i, cancellationToken));
                }

                var closed = sockets.Select(socket => WaitForCloseAsync(socket, cancellationToken)).ToArray();
                using var ending = new HttpRequestMessage(HttpMethod.Delete, "/auth/sessions?except=current") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", account.AccessToken) } };
                var started = Stopwatch.GetTimestamp();
                using var ended = await http.SendAsync(ending, cancellationToken);
                ended.EnsureSuccessStatusCode();
                await Task.WhenAll(closed);
                var time = Stopwatch.GetElapsedTime(started);
                if (round >= 0)
                {
                    times.Add(time.TotalMilliseconds);
                }
            }
            finally
            {
                sockets.ForEach(static socket => socket.Dispose());
            }
        }

        return new(times);
    }

    private static async Task<ClientWebSocket> ConnectAsync(ChildServer server, string token, int number, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        await socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/ws/design/{number}"), cancellationToken);
        return socket;
    }

    private static async Task WaitForCloseAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[1024];
        while ((await socket.ReceiveAsync(buffer, cancellationToken)).MessageType != WebSocketMessageType.Close)
        {
        }
    }
}
