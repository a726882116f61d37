using System.Net;
using System.Net.WebSockets;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.ApiKeys;

/// <summary>Using a key.</summary>
public abstract class ApiKeyCallerTests(AccountsServer server)
{
    private static readonly object Beam = new { width = 300, depth = 500, moment = 120, shear = 80, fck = 25, fy = 500, cover = 40 };

    private StoredApiKeys Verifier => server.Services.GetRequiredService<StoredApiKeys>();

    [Fact]
    public async Task A_key_does_what_its_scopes_cover_and_no_more()
    {
        var person = await server.SignInAsync();
        var (design, chat) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access, ["chat"]));
        using var allowed = await server.SendAsync(HttpMethod.Post, "/api/beams/design", Beam, ("X-API-Key", design.Text));
        using var refused = await server.SendAsync(HttpMethod.Post, "/api/beams/design", Beam, ("X-API-Key", chat.Text));

        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        Assert.Equal("FORBIDDEN", await refused.ErrorCodeAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_socket_takes_a_key_as_header_or_in_the_first_message()
    {
        var person = await server.SignInAsync();
        var (design, chat) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access, ["chat"]));
        var address = server.SocketAddress($"/ws/design/{Guid.CreateVersion7():N}");

        await using var byHeader = await SocketClient.OpenAsync(address, "X-API-Key", design.Text);
        await AssertAnswersAsync(byHeader);
        await using var byMessage = await SocketClient.OpenAsync(address);
        await byMessage.SendAsync(new { type = "auth", api_key = design.Text });
        await AssertAnswersAsync(byMessage);

        await using var withoutScope = await SocketClient.OpenAsync(address);
        await withoutScope.SendAsync(new { type = "auth", api_key = chat.Text });
        await withoutScope.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Not allowed");
        await Assert.ThrowsAsync<WebSocketException>(() => SocketClient.OpenAsync(address, "X-API-Key", chat.Text));

        await server.RevokeKeyAsync(person.Tokens.Access, design.Id);
        await using var revoked = await SocketClient.OpenAsync(address);
        await revoked.SendAsync(new { type = "auth", api_key = design.Text });
        await revoked.AssertClosedAsync(WebSocketCloseStatus.PolicyViolation, "Invalid API key");
        await Assert.ThrowsAsync<WebSocketException>(() => SocketClient.OpenAsync(address, "X-API-Key", design.Text));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_though_it_was_known()
    {
        var person = await server.SignInAsync();
        var (key, other) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access));
        Assert.Null(await server.TryKeyAsync(key.Text));
        await server.RevokeKeyAsync(person.Tokens.Access, key.Id);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.TryKeyAsync(key.Text));
        server.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("AUTH_TOKEN_REVOKED", await server.TryKeyAsync(key.Text));
        Assert.Null(await server.TryKeyAsync(other.Text));
    }

    [Fact]
    public async Task An_expired_key_is_refused_at_once_though_it_was_known()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access, expiresAt: server.Clock.GetUtcNow().AddSeconds(30));
        Assert.Null(await server.TryKeyAsync(key.Text));
        server.Clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal("AUTH_TOKEN_EXPIRED", await server.TryKeyAsync(key.Text));
    }

    [Fact]
    public async Task Signing_out_ends_no_key()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access);
        using var logout = await server.LogoutAsync(person.Tokens.Refresh);

        Assert.Null(await server.TryKeyAsync(key.Text));
    }

    [Fact]
    public async Task The_keys_of_a_locked_account_stop_working_within_a_minute()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access);
        using var before = await server.SendAsync(HttpMethod.Post, "/api/beams/design", Beam, ("X-API-Key", key.Text));
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        await server.LockAsync(person);
        server.Clock.Advance(StoredApiKeys.Freshness);

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.TryKeyAsync(key.Text));
    }

    [Fact]
    public async Task A_server_that_starts_again_knows_the_keys_and_those_that_were_revoked()
    {
        var person = await server.SignInAsync();
        var (revoked, kept) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access));
        await server.RevokeKeyAsync(person.Tokens.Access, revoked.Id);
        await server.RestartAsync();

        Assert.Equal("AUTH_TOKEN_REVOKED", await server.TryKeyAsync(revoked.Text));
        Assert.Null(await server.TryKeyAsync(kept.Text));
    }

    [Fact]
    public async Task A_key_counts_in_its_own_header_only_once_and_whole()
    {
        var person = await server.SignInAsync();
        var key = (await server.NewKeyAsync(person.Tokens.Access)).Text;
        (string, string)[][] wrong =
        [
            [("Authorization", "Bearer " + key)],
            [("Authorization", key)],
            [("X-API-Key", key), ("X-API-Key", key)],
            [("X-API-Key", key + ", " + key)],
            [("X-API-Key", person.Tokens.Access)],
            [("X-API-Key", key[..^1])],
            [("X-API-Key", key + "0")],
            [("X-API-Key", key.ToUpperInvariant())],
            [("X-API-Key", key + new string('A', 16 * 1024))],
            [("X-API-Key", "ltl_' OR 1=1 --")],
        ];
        foreach (var headers in wrong)
        {
            using var response = await server.SendAsync(HttpMethod.Get, "/auth/me", null, headers);
            Assert.Equal("AUTH_TOKEN_INVALID", await response.ErrorCodeAsync());
        }

        foreach (var path in new[] { $"/auth/me?api_key={key}", $"/auth/me?token={key}" })
        {
            using var response = await server.SendAsync(HttpMethod.Get, path, null);
            Assert.Equal("AUTH_ERROR", await response.ErrorCodeAsync());
        }
    }

    [Fact]
    public async Task The_database_is_asked_once_a_minute_for_a_key_and_never_for_a_wrong_checksum()
    {
        var person = await server.SignInAsync();
        var key = (await server.NewKeyAsync(person.Tokens.Access)).Text;
        var before = Verifier.ReadCount;

        // The first ones come together.
        var first = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.TryKeyAsync(key)));
        Assert.All(first, Assert.Null);
        var afterFirst = Verifier.ReadCount;
        for (var i = 0; i < 20; i++)
        {
            Assert.Null(await server.TryKeyAsync(key));
            Assert.Equal("AUTH_TOKEN_INVALID", await server.TryKeyAsync(key[..^1] + (key[^1] == 'x' ? 'y' : 'x')));
        }

        Assert.InRange(afterFirst - before, 1, 20);
        Assert.Equal(afterFirst, Verifier.ReadCount);
        server.Clock.Advance(StoredApiKeys.Freshness);
        Assert.Null(await server.TryKeyAsync(key));
        Assert.Equal(afterFirst + 1, Verifier.ReadCount);
    }

    [Fact]
    public async Task A_key_that_does_not_exist_is_looked_up_once_a_minute()
    {
        var forged = ApiKeyText.Create();
        var before = Verifier.ReadCount;
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("AUTH_TOKEN_INVALID", await server.TryKeyAsync(forged));
        }

        Assert.Equal(before + 1, Verifier.ReadCount);
    }

    [Fact]
    public async Task When_a_key_was_used_is_written_later_and_once_for_many_uses()
    {
        var person = await server.SignInAsync();
        var (key, unused) = (await server.NewKeyAsync(person.Tokens.Access), await server.NewKeyAsync(person.Tokens.Access));
        var use = server.Services.GetRequiredService<ApiKeyUse>();
        await use.WriteAsync(TestContext.Current.CancellationToken);
        var before = server.Clock.GetUtcNow();
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(await server.TryKeyAsync(key.Text));
        }

        await use.WriteAsync(TestContext.Current.CancellationToken);
        var keys = (await server.KeysAsync(person.Tokens.Access)).GetProperty("keys").EnumerateArray()
            .ToDictionary(static item => item.GetProperty("id").GetGuid(), static item => item.GetProperty("last_used_at"));
        Assert.InRange(keys[key.Id].GetDateTimeOffset(), before.AddMilliseconds(-1), server.Clock.GetUtcNow());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, keys[unused.Id].ValueKind);

        server.Clock.Advance(TimeSpan.FromSeconds(30));
        var again = server.Clock.GetUtcNow();
        Assert.Null(await server.TryKeyAsync(key.Text));
        await server.RestartAsync();
        var last = (await server.KeysAsync(person.Tokens.Access)).GetProperty("keys").EnumerateArray()
            .Single(item => item.GetProperty("id").GetGuid() == key.Id).GetProperty("last_used_at").GetDateTimeOffset();
        Assert.True(last >= again.AddMilliseconds(-1), "The last minute's uses are written when the server stops.");
    }

    [Fact]
    public async Task A_key_may_have_a_limit_of_its_own_which_counts_for_it_alone()
    {
        var person = await server.SignInAsync();
        var limited = await server.NewKeyAsync(person.Tokens.Access, rateLimit: 3);
        var other = await server.NewKeyAsync(person.Tokens.Access);
        for (var left = 2; left >= 0; left--)
        {
            using var allowed = await TicketAsync(limited.Text);
            Assert.Equal((HttpStatusCode.OK, "3", $"{left}"), (allowed.StatusCode, allowed.Header("X-RateLimit-Limit"), allowed.Header("X-RateLimit-Remaining")));

            // Read again from the database it is still the same key.
            server.Clock.Advance(StoredApiKeys.Freshness);
        }

        using var refused = await TicketAsync(limited.Text);
        Assert.Equal("RATE_LIMITED", await refused.ErrorCodeAsync());
        Assert.NotNull(refused.Headers.RetryAfter);
        using var others = await TicketAsync(other.Text);
        Assert.Equal((HttpStatusCode.OK, "1000000"), (others.StatusCode, others.Header("X-RateLimit-Limit")));
    }

    [Fact]
    public async Task A_ticket_that_a_key_asked_for_ends_with_the_key()
    {
        var person = await server.SignInAsync();
        var key = await server.NewKeyAsync(person.Tokens.Access, rateLimit: 5);
        var path = $"/api/jobs/{Guid.CreateVersion7()}/events";
        using var good = await TicketAsync(key.Text, path);
        using var late = await TicketAsync(key.Text, path);

        // There is no such job, which only someone who was let in can learn.
        Assert.Equal("NOT_FOUND", await OpenAsync(path, good));
        await server.RevokeKeyAsync(person.Tokens.Access, key.Id);
        Assert.Equal("AUTH_TOKEN_REVOKED", await OpenAsync(path, late));
    }

    private static async Task AssertAnswersAsync(SocketClient socket)
    {
        await socket.SendAsync(new { type = "ping" });
        Assert.Equal("pong", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
    }

    private Task<HttpResponseMessage> TicketAsync(string key, string path = "/ws/design/x") =>
        server.SendAsync(HttpMethod.Post, "/auth/ws-ticket", new { path }, ("X-API-Key", key));

    private async Task<string?> OpenAsync(string path, HttpResponseMessage issued)
    {
        var ticket = (await issued.JsonAsync()).GetProperty("ticket").GetString();
        using var response = await server.SendAsync(HttpMethod.Get, $"{path}?ticket={ticket}", null);
        return await response.ErrorCodeAsync();
    }
}

public sealed class ApiKeyCallerOnSqliteTests(SqliteAccountsServer server) : ApiKeyCallerTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class ApiKeyCallerOnPostgresTests(PostgresAccountsServer server) : ApiKeyCallerTests(server), IClassFixture<PostgresAccountsServer>;
