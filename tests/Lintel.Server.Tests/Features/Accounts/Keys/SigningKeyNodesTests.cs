using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Lintel.Features.Accounts.Audit;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Accounts.Keys;

/// <summary>Two servers on one PostgreSQL while the keys change: what one signs the other takes, always.</summary>
public sealed class SigningKeyNodesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_rotation_on_one_node_is_noticed_by_nobody_who_is_signed_in_on_either()
    {
        await using var both = await Nodes.StartAsync();
        var (here, there) = (both.Here, both.There);
        var admin = await AdministratorAsync(both);
        await AgreeAsync(both);
        var tokens = new List<string> { (await here.SignInAsync(admin.Email)).Access, (await there.SignInAsync(admin.Email)).Access };
        await AreGoodAsync(both, tokens);

        for (var rotation = 0; rotation < 3; rotation++)
        {
            var next = Assert.Single(KeysOf(here).All, key => key.State == "next").Id;
            Assert.Contains(KeysOf(there).All, key => key.Id == next);

            // People sign in on both nodes while one of them changes the key.
            var signIns = Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? here : there).SignInAsync(admin.Email)).ToArray();
            using (var rotated = await RotateAsync(here, admin.Access, compromised: false))
            {
                Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
            }

            // The other node may not have heard yet: it knew the key beforehand, and its own signature is good for long.
            tokens.Add((await here.SignInAsync(admin.Email)).Access);
            tokens.Add((await there.SignInAsync(admin.Email)).Access);
            tokens.AddRange((await Task.WhenAll(signIns)).Select(pair => pair.Access));
            await AreGoodAsync(both, tokens);
            Assert.Equal(next, KeysOf(here).Active.Id);
            Assert.Equal(next, TestJwt.Header(tokens[^18]).GetProperty("kid").GetString());
            await AgreeAsync(both);
            tokens.Add((await there.SignInAsync(admin.Email)).Access);
            Assert.Equal(next, TestJwt.Header(tokens[^1]).GetProperty("kid").GetString());
            await AreGoodAsync(both, tokens);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_retired_key_signed_is_good_on_both_nodes_until_it_is_forgotten_and_then_on_neither()
    {
        await using var both = await Nodes.StartAsync();
        var admin = await AdministratorAsync(both);

        // A token of later, so that nothing but its key ends it.
        var key = KeysOf(both.Here).Active;
        var lasting = Lasting(admin.Access, key, both.Clock.GetUtcNow().AddMinutes(20));
        await AreGoodAsync(both, [lasting]);

        using (var rotated = await RotateAsync(both.There, admin.Access, compromised: false))
        {
            Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        }

        await AgreeAsync(both);
        await AreGoodAsync(both, [lasting]);
        both.Clock.Advance(TimeSpan.FromMinutes(24));
        await both.Here.Services.GetRequiredService<SigningKeyWorker>().TendAsync(Cancel);
        await AreGoodAsync(both, [lasting]);

        both.Clock.Advance(TimeSpan.FromMinutes(2));
        await both.Here.Services.GetRequiredService<SigningKeyWorker>().TendAsync(Cancel);
        await Eventually.HoldsAsync(() => KeysOf(both.There).Find(key.Id) is null);

        await AgreeAsync(both);
        Assert.Equal(("AUTH_TOKEN_INVALID", "AUTH_TOKEN_INVALID"), (await both.Here.MeErrorAsync(lasting), await both.There.MeErrorAsync(lasting)));
        Assert.DoesNotContain(key.Id, await PublishedAsync(both.There));
    }

    [Fact(Timeout = 120_000)]
    public async Task Compromised_keys_are_good_for_nothing_on_either_node_once_it_has_heard()
    {
        await using var both = await Nodes.StartAsync();
        var admin = await AdministratorAsync(both);
        var tokens = new[] { (await both.Here.SignInAsync(admin.Email)).Access, (await both.There.SignInAsync(admin.Email)).Access };
        var before = (await PublishedAsync(both.Here)).ToArray();
        await AreGoodAsync(both, tokens);

        using (var rotated = await RotateAsync(both.Here, admin.Access, compromised: true))
        {
            Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        }

        await AgreeAsync(both);
        Assert.Empty((await PublishedAsync(both.There)).Intersect(before));
        foreach (var token in tokens)
        {
            // Checked a moment ago and remembered, and refused all the same.
            Assert.Equal(("AUTH_TOKEN_INVALID", "AUTH_TOKEN_INVALID"), (await both.Here.MeErrorAsync(token), await both.There.MeErrorAsync(token)));
        }

        await AreGoodAsync(both, [(await both.There.SignInAsync(admin.Email)).Access, (await both.Here.SignInAsync(admin.Email)).Access]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_that_a_node_was_never_told_of_is_looked_for_once_however_many_come_with_it()
    {
        await using var both = await Nodes.StartAsync();
        var person = await both.Here.SignInAsync();
        var keys = KeysOf(both.There);

        // It looks now and then by itself too, and would know the key before it is asked.
        await both.There.Services.GetRequiredService<SigningKeyWorker>().StopAsync(Cancel);

        // Rotated without a word to the other node, twice, so that it was not told beforehand either.
        var table = both.Here.Services.GetRequiredService<SigningKeyTable>();
        for (var i = 0; i < 2; i++)
        {
            Assert.True(await table.RotateAsync(KeysOf(both.Here).Active.Id, isCompromised: false, Actor.System, Cancel));
            await KeysOf(both.Here).LoadAsync(renewsSeals: false, Cancel);
        }

        var active = KeysOf(both.Here).Active.Id;
        Assert.Null(keys.Find(active));
        var token = (await both.Here.SignInAsync(person.Email)).Access;
        var before = keys.Refetches;

        var statuses = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => both.There.StatusOfMeAsync(token)));

        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(before + 1, keys.Refetches);
        Assert.Equal(active, keys.Active.Id);

        // Made-up ones come with it: each is refused, and the database is asked no more than now and then.
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var started = TimeProvider.System.GetTimestamp();
        var refusals = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => both.There.MeErrorAsync(Forge(own, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)), token.Split('.')[1]))));
        Assert.All(refusals, error => Assert.Equal("AUTH_TOKEN_INVALID", error));
        Assert.InRange(keys.Refetches - before, 1, 2 + (int)(TimeProvider.System.GetElapsedTime(started) / SigningKeys.RefetchInterval));
    }

    [Fact(Timeout = 120_000)]
    public async Task Of_two_nodes_whose_time_has_come_one_rotates_and_both_agree()
    {
        await using var both = await Nodes.StartAsync();
        await AgreeAsync(both);
        var next = Assert.Single(KeysOf(both.Here).All, key => key.State == "next").Id;
        both.Clock.Advance(TimeSpan.FromDays(31));

        await Task.WhenAll(new[] { both.Here, both.There }.Select(node => node.Services.GetRequiredService<SigningKeyWorker>().TendAsync(Cancel)));

        await AgreeAsync(both);
        Assert.Equal((next, next), (KeysOf(both.Here).Active.Id, KeysOf(both.There).Active.Id));
        Assert.Equal(3, (await PublishedAsync(both.Here)).Count);
    }

    private static SigningKeys KeysOf(ServerFixture node) => node.Services.GetRequiredService<SigningKeys>();

    private static async Task AreGoodAsync(Nodes both, IEnumerable<string> tokens)
    {
        var statuses = await Task.WhenAll(tokens.SelectMany(token => new[] { both.Here.StatusOfMeAsync(token), both.There.StatusOfMeAsync(token) }));
        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.OK, status));
    }

    /// <summary>Waits until both publish the same keys: a node that changes them tells the other.</summary>
    private static Task AgreeAsync(Nodes both) =>
        Eventually.HoldsAsync(async () => KeysOf(both.Here).Active.Id == KeysOf(both.There).Active.Id && (await PublishedAsync(both.Here)).SetEquals(await PublishedAsync(both.There)));

    private static async Task<HashSet<string>> PublishedAsync(ServerFixture node)
    {
        using var response = await node.Client.GetAsync("/.well-known/jwks.json", Cancel);
        return [.. (await response.JsonAsync()).GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("kid").GetString()!)];
    }

    private static async Task<(string Email, string Access)> AdministratorAsync(Nodes both)
    {
        var person = await both.Here.SignInAsync();
        await both.Here.ExecuteAsync("UPDATE account SET role = 'admin' WHERE id = $1", person.Id);
        return (person.Email, (await both.Here.SignInAsync(person.Email)).Access);
    }

    private static async Task<HttpResponseMessage> RotateAsync(ServerFixture node, string accessToken, bool compromised)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/admin/signing-keys/rotate") { Content = JsonContent.Create(new { compromised }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await node.Client.SendAsync(request, Cancel);
    }

    private static string Lasting(string token, SigningKey key, DateTimeOffset from)
    {
        var claims = JsonNode.Parse(TestJwt.Payload(token).GetRawText())!.AsObject();
        claims["iat"] = from.ToUnixTimeSeconds();
        claims["exp"] = from.AddMinutes(15).ToUnixTimeSeconds();
        var signed = $"{token.Split('.')[0]}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        var signature = new byte[SigningKey.SignatureLength];
        key.Sign(Encoding.ASCII.GetBytes(signed), signature);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Forge(ECDsa key, string keyId, string payload)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{keyId}}"}"""))}.{payload}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }

    /// <summary>Two real servers on one database, with one clock.</summary>
    private sealed class Nodes : IAsyncDisposable
    {
        private readonly TestDatabase _database;

        private Nodes(TestDatabase database)
        {
            _database = database;
            Here = new(database.Url!, Clock);
            There = new(database.Url!, Clock);
        }

        public MovableClock Clock { get; } = new();

        public Node Here { get; }

        public Node There { get; }

        public static async Task<Nodes> StartAsync()
        {
            var nodes = new Nodes(await TestDatabase.CreateAsync(TestDatabaseKind.Postgres));

            // At once: both make keys, and one pair is kept.
            await Task.WhenAll(nodes.Here.InitializeAsync().AsTask(), nodes.There.InitializeAsync().AsTask());
            return nodes;
        }

        public async ValueTask DisposeAsync()
        {
            await Here.DisposeAsync();
            await There.DisposeAsync();
            await _database.DisposeAsync();
        }
    }

    private sealed class Node(string database, MovableClock clock) : AccountsServer(TestDatabaseKind.Sqlite, clock, $"--DATABASE_URL={database}", "--ALGORITHM=ES256");
}
