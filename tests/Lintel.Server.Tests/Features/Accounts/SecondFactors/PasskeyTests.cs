using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Passkeys: added, used alone and as a second factor, and what an attacker may try with them.</summary>
public abstract class PasskeyTests(FactorsServer server)
{
    private const string Refused = "401 AUTH_INVALID_CREDENTIALS";
    private const string Gone = "401 AUTH_TOKEN_INVALID";

    [Fact]
    public async Task A_passkey_alone_signs_in()
    {
        var person = await server.SignInAsync();
        using var passkey = new SoftPasskey();
        using var added = await AddAsync(person.Tokens, passkey);
        var body = await added.JsonAsync();
        using var signedIn = await SignInAsync(passkey);
        var tokens = await Tokens.OfAsync(signedIn);

        Assert.Equal(10, body.GetProperty("recovery_codes").GetArrayLength());
        Assert.Equal($"/auth/passkeys/{body.GetProperty("passkey").GetProperty("id").GetGuid()}", added.Headers.Location!.ToString());
        Assert.Equal(person.Id.ToString(), Tokens.Claims(tokens.Access).GetProperty("sub").GetString());
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM session WHERE id = $1 AND auth_methods = 'passkey'", tokens.SessionId));
        Assert.Equal(1, await server.CountMailAsync(person.Email, "A second factor was added"));

        // It is as good as both, so it may change factors.
        using var next = new SoftPasskey();
        using var second = await AddAsync(tokens, next);
        Assert.Equal((HttpStatusCode.Created, JsonValueKind.Null), (second.StatusCode, (await second.JsonAsync()).GetProperty("recovery_codes").ValueKind));
    }

    [Fact]
    public async Task A_passkey_is_a_second_factor()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        using var refused = await server.LoginAsync(person.Email);
        var challenge = await FactorsServer.ChallengeOfAsync(refused);
        var options = await AskAsync(challenge);

        Assert.Equal(["passkey", "recovery_code"], FactorsServer.Texts((await FactorsServer.DetailsAsync(refused)).GetProperty("methods")));
        Assert.Equal(SoftPasskey.Text(passkey.CredentialId), options.GetProperty("allowCredentials")[0].GetProperty("id").GetString());
        Assert.Equal("200", await AnswerAsync(challenge, passkey.Sign(options)));
        Assert.Equal(Gone, await AnswerAsync(challenge, passkey.Sign(options)));
    }

    [Fact]
    public async Task A_key_that_verifies_nobody_is_a_second_factor_and_no_sign_in_alone()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        passkey.VerifiesUser = false;
        var challenge = await server.ChallengeAsync(person.Email);

        Assert.Equal("200", await AnswerAsync(challenge, passkey.Sign(await AskAsync(challenge))));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
    }

    [Theory]
    [InlineData("https://example.org.evil.example", "example.org")]
    [InlineData("https://sub.example.org", "example.org")]
    [InlineData("http://example.org", "example.org")]
    [InlineData("https://example.org:8443", "example.org")]
    [InlineData("https://example.org", "evil.example")]
    public async Task Another_origin_or_relying_party_is_refused_everywhere(string origin, string rpId)
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        (passkey.Origin, passkey.RpId) = (origin, rpId);
        var challenge = await server.ChallengeAsync(person.Email);

        Assert.Equal(Refused, await AnswerAsync(challenge, passkey.Sign(await AskAsync(challenge))));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
        using var phished = new SoftPasskey { Origin = origin, RpId = rpId };
        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await AddAsync(person.Tokens, phished)));
    }

    [Fact]
    public async Task A_counter_that_went_back_is_refused()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        passkey.Counter = 100;
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
        passkey.Counter = 100;
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
        passkey.Counter = 57;
        var challenge = await server.ChallengeAsync(person.Email);

        Assert.Equal(Refused, await AnswerAsync(challenge, passkey.Sign(await AskAsync(challenge))));
        passkey.Counter = 101;
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
    }

    [Fact]
    public async Task A_signature_is_good_once_and_for_its_challenge_alone()
    {
        var (_, passkey) = await SignInWithPasskeyAsync();
        var (challenge, options) = await AskToSignInAsync();
        var (other, _) = await AskToSignInAsync();
        var signed = passkey.Sign(options);

        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge = other, passkey = signed })));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge, passkey = signed })));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge, passkey = signed })));
    }

    [Fact]
    public async Task Of_a_signature_used_twice_at_once_one_is_taken()
    {
        var (_, passkey) = await SignInWithPasskeyAsync();
        passkey.Counter = 0;
        await server.ExecuteAsync("UPDATE passkey SET sign_count = 0 WHERE credential_id = $1", passkey.CredentialId);
        var (challenge, options) = await AskToSignInAsync();
        var signed = passkey.Sign(options).ToJsonString();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
            await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge, passkey = JsonNode.Parse(signed) }))));

        Assert.Equal(["200", Refused, Refused], outcomes.Order());
    }

    [Fact]
    public async Task A_passkey_of_another_account_answers_nothing()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        var (_, others) = await SignInWithPasskeyAsync();
        var challenge = await server.ChallengeAsync(person.Email);
        var options = await AskAsync(challenge);

        Assert.Equal(Refused, await AnswerAsync(challenge, others.Sign(options)));
        others.UserHandle = passkey.UserHandle;
        Assert.Equal(Refused, await AnswerAsync(challenge, others.Sign(options)));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(others)));
    }

    [Fact]
    public async Task A_passkey_belongs_to_one_account()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        var other = await server.SignInAsync();

        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await AddAsync(other.Tokens, passkey)));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM passkey WHERE credential_id = $1 AND account_id = $2", passkey.CredentialId, person.Id));
    }

    [Fact]
    public async Task A_challenge_for_a_new_passkey_is_for_the_session_that_asked_and_for_nothing_else()
    {
        var person = await server.SignInAsync();
        var other = await server.SignInAsync();
        var (challenge, options) = await AskToCreateAsync(person.Tokens);
        using var passkey = new SoftPasskey();
        var made = passkey.Create(options).ToJsonString();

        Assert.Equal(Gone, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkeys", other.Tokens, new { challenge, name = "theirs", passkey = JsonNode.Parse(made) })));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge, passkey = JsonNode.Parse(made) })));
        Assert.Equal(Gone, await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, "123456")));
        Assert.Equal("201", await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkeys", person.Tokens, new { challenge, name = "mine", passkey = JsonNode.Parse(made) })));
        Assert.Equal(Gone, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkeys", person.Tokens, new { challenge, name = "again", passkey = JsonNode.Parse(made) })));
    }

    [Fact]
    public async Task Of_what_a_browser_says_only_what_it_may_say_is_kept()
    {
        var person = await server.SignInAsync();
        var (challenge, options) = await AskToCreateAsync(person.Tokens);
        using var passkey = new SoftPasskey();
        var made = passkey.Create(options);
        made["response"]!["transports"] = new JsonArray("usb", "a\0b", new string('x', 5000), "nfc ble", "smart-card");
        using var added = await server.PostAsync("/auth/passkeys", person.Tokens, new { challenge, name = "key", passkey = made });

        Assert.Equal(["usb", "smart-card"], FactorsServer.Texts((await added.JsonAsync()).GetProperty("passkey").GetProperty("transports")));
    }

    [Fact]
    public async Task A_locked_account_has_no_use_of_its_passkey()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        await server.LockAsync(person);

        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
    }

    [Fact]
    public async Task Passkeys_are_listed_renamed_and_removed_by_their_owner_alone()
    {
        var (person, _) = await SignInWithPasskeyAsync();
        var other = await server.SignInAsync();
        using var list = await server.SendAsync(HttpMethod.Get, "/auth/passkeys", person.Tokens);
        var view = (await list.JsonAsync()).GetProperty("passkeys")[0];
        var path = $"/auth/passkeys/{view.GetProperty("id").GetGuid()}";

        Assert.Equal(("laptop", "internal"), (view.GetProperty("name").GetString(), view.GetProperty("transports")[0].GetString()));
        Assert.Equal("404 NOT_FOUND", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Patch, path, other.Tokens, new { name = "mine" })));
        Assert.Equal("404 NOT_FOUND", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, path, other.Tokens)));
        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Patch, path, person.Tokens, new { name = "a\r\nb" })));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Patch, path, person.Tokens, new { name = "old laptop" })));
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, path, person.Tokens)));
        Assert.Equal(1, await server.CountMailAsync(person.Email, "A second factor was removed"));
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task Removing_one_of_two_factors_kills_the_challenges_that_it_could_have_answered()
    {
        var (person, passkey) = await SignInWithPasskeyAsync();
        var app = await server.AddAppAsync(person.Tokens);
        var challenge = await server.ChallengeAsync(person.Email);
        var options = await AskAsync(challenge);
        using var list = await server.SendAsync(HttpMethod.Get, "/auth/passkeys", person.Tokens);
        var id = (await list.JsonAsync()).GetProperty("passkeys")[0].GetProperty("id").GetGuid();
        Assert.Equal("204", await FactorsServer.OutcomeAsync(await server.SendAsync(HttpMethod.Delete, $"/auth/passkeys/{id}", person.Tokens)));
        using var refused = await server.LoginAsync(person.Email);

        Assert.Equal(Gone, await FactorsServer.OutcomeAsync(await server.AnswerAsync(challenge, app.Code())));
        Assert.Equal(Gone, await AnswerAsync(challenge, passkey.Sign(options)));
        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await SignInAsync(passkey)));
        Assert.Equal(["totp", "recovery_code"], FactorsServer.Texts((await FactorsServer.DetailsAsync(refused)).GetProperty("methods")));
    }

    [Theory]
    [InlineData("""{"challenge":"x","passkey":"text"}""")]
    [InlineData("""{"challenge":"x"}""")]
    [InlineData("""{"passkey":{}}""")]
    [InlineData("nonsense")]
    public async Task Malformed_bodies_are_named(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        Assert.Equal("422 VALIDATION_ERROR", await FactorsServer.OutcomeAsync(await server.Client.PostAsync("/auth/passkey", content, TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"id":7,"response":[]}""")]
    [InlineData("""{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"AAAA","authenticatorData":"AAAA","signature":"AAAA","userHandle":"MQ"}}""")]
    [InlineData("""{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"","authenticatorData":"","signature":"","userHandle":"99999999999999999999999"}}""")]
    public async Task What_is_no_answer_of_a_browser_is_refused(string passkey)
    {
        var (challenge, _) = await AskToSignInAsync();

        Assert.Equal(Refused, await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkey", new { challenge, passkey = JsonNode.Parse(passkey) })));
    }

    public static TheoryData<string> Vectors => new(WebAuthnVectors.Names);

    /// <summary>Web Authentication Level 3, section 16. Statements about the authenticator are not asked for, so none is judged; frames of other origins are not admitted, nor keys on Edwards curves.</summary>
    [Theory]
    [MemberData(nameof(Vectors))]
    public async Task The_vectors_of_the_standard_come_out_as_it_says(string name)
    {
        var vector = WebAuthnVectors.Find(name);
        var person = await server.SignInAsync();
        var (creation, _) = await AskToCreateAsync(person.Tokens);
        await PutChallengeAsync(person, "passkey_creation", vector.Registration.Challenge);
        var added = await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/passkeys", person.Tokens, new { challenge = creation, name, passkey = vector.Created }));
        if (name.EndsWith("Origin", StringComparison.Ordinal) || name is "packed-eddsa" or "packed-ed448")
        {
            Assert.Equal("422 VALIDATION_ERROR", added);
            return;
        }

        Assert.Equal("201", added);
        var challenge = await server.ChallengeAsync(person.Email);
        await AskAsync(challenge);
        await PutChallengeAsync(person, "sign_in", vector.Authentication.Challenge);
        Assert.Equal(Refused, await AnswerAsync(challenge, vector.Signed(tamper: true)));
        Assert.Equal("200", await AnswerAsync(challenge, vector.Signed(tamper: false)));
    }

    /// <summary>Lets a challenge of ours ask for what the standard's authenticator signed.</summary>
    private async Task PutChallengeAsync(Person person, string kind, byte[] challenge)
    {
        var state = await server.Database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT passkey_state FROM factor_challenge WHERE account_id = $1 AND kind = $2", static row => row.GetString(0), person.Id, kind),
            TestContext.Current.CancellationToken);
        var json = JsonNode.Parse(state!)!.AsObject();
        var name = json.Single(static field => field.Key.Equals("challenge", StringComparison.OrdinalIgnoreCase)).Key;
        json[name] = ((string)json[name]!).EndsWith('=') ? Convert.ToBase64String(challenge) : SoftPasskey.Text(challenge);
        await server.ExecuteAsync("UPDATE factor_challenge SET passkey_state = $3 WHERE account_id = $1 AND kind = $2", person.Id, kind, json.ToJsonString());
    }

    private async Task<(Person Person, SoftPasskey Passkey)> SignInWithPasskeyAsync()
    {
        var person = await server.SignInAsync();
        var passkey = new SoftPasskey();
        using var added = await AddAsync(person.Tokens, passkey);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        return (person, passkey);
    }

    private async Task<HttpResponseMessage> AddAsync(Tokens tokens, SoftPasskey passkey)
    {
        var (challenge, options) = await AskToCreateAsync(tokens);
        return await server.PostAsync("/auth/passkeys", tokens, new { challenge, name = "laptop", passkey = passkey.Create(options) });
    }

    private async Task<(string Challenge, JsonElement Options)> AskToCreateAsync(Tokens tokens)
    {
        using var response = await server.PostAsync("/auth/passkeys/options", tokens);
        return await OptionsOfAsync(response);
    }

    private async Task<(string Challenge, JsonElement Options)> AskToSignInAsync()
    {
        using var response = await server.PostAsync("/auth/passkey/options", new { });
        return await OptionsOfAsync(response);
    }

    private async Task<JsonElement> AskAsync(string challenge)
    {
        using var response = await server.PostAsync("/auth/2fa/passkey", new { challenge });
        return (await OptionsOfAsync(response)).Options;
    }

    private static async Task<(string Challenge, JsonElement Options)> OptionsOfAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var body = await response.JsonAsync();
        Assert.Equal(300, body.GetProperty("expires_in").GetInt64());
        return (body.GetProperty("challenge").GetString()!, body.GetProperty("public_key"));
    }

    private async Task<HttpResponseMessage> SignInAsync(SoftPasskey passkey)
    {
        var (challenge, options) = await AskToSignInAsync();
        return await server.PostAsync("/auth/passkey", new { challenge, passkey = passkey.Sign(options) });
    }

    private async Task<string> AnswerAsync(string challenge, JsonObject passkey) =>
        await FactorsServer.OutcomeAsync(await server.PostAsync("/auth/2fa", new { challenge, passkey }));
}

public sealed class PasskeyOnSqliteTests(SqliteFactorsServer server) : PasskeyTests(server), IClassFixture<SqliteFactorsServer>;

public sealed class PasskeyOnPostgresTests(PostgresFactorsServer server) : PasskeyTests(server), IClassFixture<PostgresFactorsServer>;
