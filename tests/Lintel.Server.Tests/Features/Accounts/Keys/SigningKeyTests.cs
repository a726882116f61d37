using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lintel.Features.Accounts.Audit;
using Lintel.Infrastructure;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Keys;

public abstract class SigningKeyTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SigningKeys Keys => server.Services.GetRequiredService<SigningKeys>();

    [Fact]
    public async Task Access_tokens_name_a_published_key_and_refresh_tokens_are_for_nobody_else()
    {
        var tokens = (await server.SignInAsync()).Tokens;
        var header = TestJwt.Header(tokens.Access);

        Assert.Equal(("ES256", "JWT"), (header.GetProperty("alg").GetString(), header.GetProperty("typ").GetString()));
        var key = Assert.Single(await PublishedAsync(), key => key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], key.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal("HS256", TestJwt.Header(tokens.Refresh).GetProperty("alg").GetString());
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(tokens.Access));
    }

    [Fact]
    public async Task The_id_of_a_key_is_its_thumbprint()
    {
        foreach (var key in await PublishedAsync())
        {
            var canonical = $$"""{"crv":"P-256","kty":"EC","x":"{{key.GetProperty("x").GetString()}}","y":"{{key.GetProperty("y").GetString()}}"}""";

            Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(canonical))), key.GetProperty("kid").GetString());
        }
    }

    [Fact]
    public async Task Published_keys_may_be_kept_and_have_a_tag()
    {
        using var first = await server.Client.GetAsync("/.well-known/jwks.json", Cancel);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/.well-known/jwks.json");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await server.Client.SendAsync(again, Cancel);

        Assert.Equal("public, max-age=300", first.Headers.CacheControl!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Everyone_who_refreshes_at_once_gets_the_same_refresh_token_and_the_same_claims()
    {
        var tokens = (await server.SignInAsync()).Tokens;

        var pairs = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var response = await server.RefreshAsync(tokens.Refresh);
            return await Tokens.OfAsync(response);
        }));

        Assert.Single(pairs.Select(pair => pair.Refresh).Distinct());
        Assert.Single(pairs.Select(pair => TestJwt.Payload(pair.Access).GetRawText()).Distinct());
        Assert.All(await Task.WhenAll(pairs.Select(pair => server.StatusOfMeAsync(pair.Access))), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task Forged_tokens_are_refused_whatever_they_claim_to_be_signed_with()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        var parts = token.Split('.');
        var active = Keys.Active;
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = own.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        var pem = Encoding.ASCII.GetBytes(own.ExportSubjectPublicKeyInfoPem());
        string[] forged =
        [
            // The secret is for refresh tokens alone, and the public key is no secret.
            TestJwt.Change(token, _ => { }),
            TestJwt.Change(token, _ => { }, key: Encoding.ASCII.GetBytes(active.X)),
            TestJwt.Change(token, _ => { }, key: [4, .. Base64Url.DecodeFromChars(active.X), .. Base64Url.DecodeFromChars(active.Y)]),
            TestJwt.Change(token, _ => { }, key: pem),
            TestJwt.Change(token, _ => { }, algorithm: "none"),

            // Somebody else's key under the name of ours, under no name, under made-up names, and brought along.
            Forge(own, $$"""{"alg":"ES256","typ":"JWT","kid":"{{active.Id}}"}""", parts[1]),
            Forge(own, """{"alg":"ES256","typ":"JWT"}""", parts[1]),
            Forge(own, """{"alg":"ES256","typ":"JWT","kid":"../../dev/null"}""", parts[1]),
            Forge(own, """{"alg":"ES256","typ":"JWT","kid":"' OR 1=1 --"}""", parts[1]),
            Forge(own, $$"""{"alg":"ES256","typ":"JWT","kid":"{{active.Id}}","jwk":{{jwk}}}""", parts[1]),
            Forge(own, $$"""{"alg":"ES256","typ":"JWT","kid":"{{active.Id}}","jku":"{{server.BaseAddress}}keys"}""", parts[1]),
            Forge(own, $$"""{"alg":"ES256","typ":"JWT","kid":"{{active.Id}}","x5u":"{{server.BaseAddress}}keys"}""", parts[1]),
        ];
        foreach (var each in forged)
        {
            Assert.Equal("AUTH_TOKEN_INVALID", await server.MeErrorAsync(each));
        }
    }

    [Theory]
    [InlineData("\"typ\":\"at+jwt\",")]
    [InlineData("\"typ\":\"jwt\",")]
    [InlineData("\"typ\":null,")]
    [InlineData("")]
    public async Task Another_type_of_token_under_our_own_key_is_refused(string type)
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        var key = Keys.Active;
        var signed = $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"ES256",{{type}}"kid":"{{key.Id}}"}"""))}.{token.Split('.')[1]}";
        var signature = new byte[SigningKey.SignatureLength];
        key.Sign(Encoding.ASCII.GetBytes(signed), signature);

        Assert.Equal("AUTH_TOKEN_INVALID", await server.MeErrorAsync($"{signed}.{Base64Url.EncodeToString(signature)}"));
    }

    [Fact]
    public async Task A_key_lives_from_next_to_active_to_retired_to_gone()
    {
        var worker = server.Services.GetRequiredService<SigningKeyWorker>();
        var next = Assert.Single(Keys.All, key => key.State == "next").Id;
        var old = Keys.Active.Id;
        var person = await server.SignInAsync();

        server.Clock.Advance(TimeSpan.FromDays(29));
        await worker.TendAsync(Cancel);
        Assert.Equal(old, Keys.Active.Id);

        // The worker of the server may look at any moment: what is asked for here is true before its look as well as after.
        var rotates = Keys.Active.ActivatedAt!.Value + TimeSpan.FromDays(30);
        server.Clock.Advance(rotates - TimeSpan.FromMinutes(5) - server.Clock.GetUtcNow());
        var before = await server.SignInAsync(person.Email);
        Assert.Equal(old, TestJwt.Header(before.Access).GetProperty("kid").GetString());
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await worker.TendAsync(Cancel);

        // The one that everybody knew for a month signs, what the old one signed is taken, and another is there to be known.
        var after = await server.SignInAsync(person.Email);
        Assert.Equal(next, TestJwt.Header(after.Access).GetProperty("kid").GetString());
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(before.Access));
        Assert.Equal(3, (await PublishedAsync()).Count);

        server.Clock.Advance(TimeSpan.FromMinutes(24));
        await worker.TendAsync(Cancel);
        Assert.NotNull(Keys.Find(old));
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await worker.TendAsync(Cancel);

        Assert.Null(Keys.Find(old));
        Assert.Equal(["active", "next"], Keys.All.Select(key => key.State).Order());
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM signing_key WHERE kid = $1", old));
    }

    [Fact]
    public async Task Of_those_who_rotate_at_once_one_does()
    {
        var table = server.Services.GetRequiredService<SigningKeyTable>();
        await Keys.LoadAsync(renewsSeals: false, Cancel);
        var active = Keys.Active.Id;

        var rotated = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => table.RotateAsync(active, isCompromised: false, Actor.System, Cancel)));

        Assert.Single(rotated, true);
        await Keys.LoadAsync(renewsSeals: false, Cancel);
        Assert.Single(Keys.All, key => key.State == "active");
        Assert.Single(Keys.All, key => key.State == "next");
    }

    [Fact]
    public async Task An_administrator_rotates_and_what_was_signed_stays_good_unless_the_keys_are_compromised()
    {
        var person = await server.SignInAsync();
        var admin = await AdministratorAsync();
        using var rotated = await RotateAsync(admin.Access, compromised: false);
        Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync(person.Tokens.Access));

        using var emergency = await RotateAsync(admin.Access, compromised: true);
        Assert.Equal(HttpStatusCode.OK, emergency.StatusCode);

        // Checked a moment ago and remembered, and refused now; the session goes on with its refresh token.
        Assert.Equal("AUTH_TOKEN_INVALID", await server.MeErrorAsync(person.Tokens.Access));
        using var refreshed = await server.RefreshAsync(person.Tokens.Refresh);
        Assert.Equal(HttpStatusCode.OK, await server.StatusOfMeAsync((await Tokens.OfAsync(refreshed)).Access));
        Assert.Equal(2, await server.CountAsync(
            "SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 AND e.kind = $2", AccountAudit.NameOf(Id(admin)), AccountEvents.SigningKeysRotated));
    }

    [Fact]
    public async Task Nobody_else_rotates_and_nobody_without_a_fresh_proof()
    {
        var person = await server.SignInAsync();
        using var refused = await RotateAsync(person.Tokens.Access, compromised: false);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        var admin = await AdministratorAsync();
        await server.ExecuteAsync("UPDATE session SET authenticated_at = 0 WHERE id = $1", admin.SessionId);
        using var stale = await RotateAsync(admin.Access, compromised: false);
        Assert.Equal("AUTH_2FA_REQUIRED", await stale.ErrorCodeAsync());
    }

    [Fact]
    public async Task A_key_of_another_node_is_looked_for_once_and_made_up_ones_do_not_hammer_the_database()
    {
        var token = (await server.SignInAsync()).Tokens.Access;
        using var other = ActivatorUtilities.CreateInstance<SigningKeys>(server.Services);
        Assert.Empty(other.All);
        var verifier = ActivatorUtilities.CreateInstance<Credentials.AccessTokens>(
            server.Services, other, ActivatorUtilities.CreateInstance<Credentials.TokenReader>(server.Services, other));

        // A node that has heard of no key yet finds this one, and everybody who asks meanwhile waits for the same look.
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => verifier.VerifyAsync(token).AsTask()));
        Assert.All(results, result => Assert.Equal(CredentialStatus.Valid, result.Status));
        Assert.Equal(1, other.Refetches);

        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        for (var i = 0; i < 200; i++)
        {
            var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            var forged = Forge(own, $$"""{"alg":"ES256","typ":"JWT","kid":"{{id}}"}""", token.Split('.')[1]);
            Assert.Equal(CredentialStatus.Invalid, (await verifier.VerifyAsync(forged)).Status);
        }

        Assert.InRange(other.Refetches, 1, 4);
    }

    [Fact]
    public async Task A_row_that_the_server_did_not_seal_is_no_key()
    {
        var stolen = SigningKey.Create();
        var sealedKey = stolen.Seal(TestSecret.Of("another secret of at least 32 bytes, not ours"));
        await server.ExecuteAsync(
            "INSERT INTO signing_key (kid, state, sealed_key, created_at, retired_at) VALUES ($1, 'retired', $2, 1, $3)",
            stolen.Id, sealedKey, server.Clock.GetUtcNow().ToMicroseconds());
        try
        {
            Assert.Equal(1, await Keys.LoadAsync(renewsSeals: false, Cancel));
            Assert.Null(Keys.Find(stolen.Id));
            var dump = await server.Database.ReadAsync(
                session => session.QueryAsync("SELECT sealed_key FROM signing_key", static row => row.GetBytes(0)), Cancel);
            Assert.All(dump, bytes => Assert.ThrowsAny<CryptographicException>(() => ECDsa.Create().ImportPkcs8PrivateKey(bytes, out _)));
        }
        finally
        {
            await server.ExecuteAsync("DELETE FROM signing_key WHERE kid = $1", stolen.Id);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task The_jose_library_of_npm_verifies_our_tokens_by_the_published_keys()
    {
        var person = await server.SignInAsync();
        using var verifying = NodeProgram.Start("verify-token.mjs", new Uri(server.BaseAddress, "/.well-known/jwks.json").AbsoluteUri, person.Tokens.Access);
        var said = await verifying.ReadAsync();

        Assert.Equal("ES256", said.GetProperty("header").GetProperty("alg").GetString());
        Assert.Equal(person.Id.ToString(), said.GetProperty("payload").GetProperty("sub").GetString());
        Assert.Equal("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", said.GetProperty("forged").GetString());
    }

    private static string Forge(ECDsa key, string header, string payload)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes(header))}.{payload}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }

    private static long Id(Tokens tokens) => long.Parse(TestJwt.Payload(tokens.Access).GetProperty("sub").GetString()!);

    private async Task<IReadOnlyList<JsonElement>> PublishedAsync()
    {
        using var response = await server.Client.GetAsync("/.well-known/jwks.json", Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return [.. (await response.JsonAsync()).GetProperty("keys").EnumerateArray()];
    }

    private async Task<Tokens> AdministratorAsync()
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET role = 'admin' WHERE id = $1", person.Id);
        return await server.SignInAsync(person.Email);
    }

    private async Task<HttpResponseMessage> RotateAsync(string accessToken, bool compromised)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/admin/signing-keys/rotate") { Content = JsonContent.Create(new { compromised }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await server.Client.SendAsync(request, Cancel);
    }
}

public sealed class SqliteSigningServer() : AccountsServer(TestDatabaseKind.Sqlite, new MovableClock(), "--ALGORITHM=ES256");

public sealed class PostgresSigningServer() : AccountsServer(TestDatabaseKind.Postgres, new MovableClock(), "--ALGORITHM=ES256");

public sealed class SigningKeyOnSqliteTests(SqliteSigningServer server) : SigningKeyTests(server), IClassFixture<SqliteSigningServer>;

public sealed class SigningKeyOnPostgresTests(PostgresSigningServer server) : SigningKeyTests(server), IClassFixture<PostgresSigningServer>;
