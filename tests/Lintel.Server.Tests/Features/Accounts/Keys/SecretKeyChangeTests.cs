using System.Net;
using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Keys;

/// <summary>A server that was given a new <c>SECRET_KEY</c> and still has the one of before.</summary>
public sealed class SecretKeyChangeTests(SecretKeyChangeTests.Server server) : IClassFixture<SecretKeyChangeTests.Server>
{
    private const string NewKey = "a new secret of at least 32 bytes, for tests";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tokens_of_the_key_before_are_taken_and_new_ones_are_signed_with_the_new()
    {
        var tokens = (await server.SignInAsync()).Tokens;
        var older = new Tokens(TestJwt.Change(tokens.Access, _ => { }), TestJwt.Change(tokens.Refresh, _ => { }));
        Assert.NotEqual(tokens, older);
        Assert.Equal(tokens.Access, TestJwt.Sign(TestJwt.Payload(tokens.Access).GetRawText(), Encoding.UTF8.GetBytes(NewKey)));

        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(older.Access));
        using var refreshed = await server.RefreshAsync(older.Refresh);
        var next = await Tokens.OfAsync(refreshed);
        Assert.Equal(next.Refresh, TestJwt.Sign(TestJwt.Payload(next.Refresh).GetRawText(), Encoding.UTF8.GetBytes(NewKey)));
        Assert.Equal("AUTH_TOKEN_INVALID", await server.MeErrorAsync(TestJwt.Change(tokens.Access, _ => { }, key: "a third secret of at least 32 bytes, no one's"u8.ToArray())));
    }

    [Fact]
    public async Task Signing_keys_that_the_key_before_sealed_are_sealed_anew()
    {
        var keys = server.Services.GetRequiredService<SigningKeys>();
        var key = SigningKey.Create();
        var sealedKey = key.Seal(TestSecret.Of(Encoding.UTF8.GetString(TestJwt.Key)));
        await server.ExecuteAsync(
            "INSERT INTO signing_key (kid, state, sealed_key, created_at, retired_at) VALUES ($1, 'retired', $2, 1, $3)", key.Id, sealedKey, server.Clock.GetUtcNow().ToMicroseconds());

        Assert.Equal(0, await keys.LoadAsync(renewsSeals: true, Cancel));

        var row = await server.Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT sealed_key FROM signing_key WHERE kid = $1", row => new SealedKey(key.Id, "retired", row.GetBytes(0), default, null, null), key.Id),
            Cancel);
        Assert.NotNull(SigningKey.Open(row!, TestSecret.Of(NewKey)));
        Assert.Null(SigningKey.Open(row!, TestSecret.Of(Encoding.UTF8.GetString(TestJwt.Key))));
        Assert.NotNull(keys.Find(key.Id));
    }

    [Fact]
    public async Task A_node_that_cannot_open_the_signing_keys_does_not_start_and_leaves_them_alone()
    {
        await using var other = await ServerFixture.StartAsync(["--ALGORITHM=ES256"]);
        var database = other.Services.GetRequiredService<Database>();
        await database.WriteAsync(session => session.ExecuteAsync("UPDATE signing_key SET sealed_key = $1", new byte[200]), Cancel);

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(other.RestartAsync);

        Assert.Contains("SECRET_KEY_PREVIOUS", failure.Message, StringComparison.Ordinal);
    }

    public sealed class Server() : AccountsServer(TestDatabaseKind.Sqlite, new MovableClock(), $"--SECRET_KEY={NewKey}", $"--SECRET_KEY_PREVIOUS={Encoding.UTF8.GetString(TestJwt.Key)}");
}
