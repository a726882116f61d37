using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Lintel.Features.Accounts.Keys;

public sealed class JsonWebSignatureTests
{
    // Stricter than the vectors: a key that names an algorithm is for no other (346 and 350), and for none where there is no such algorithm (347 and 351, ES521); what base64url does not have is
    // nowhere in a token (372 and 373).
    private static readonly int[] RefusedThoughValid = [346, 347, 350, 351, 372, 373];

    // Both are about padding that their text has lost: letter for letter they are the valid one.
    private static readonly int[] ValidThoughRefused = [367, 370];
    private const int TheirOriginal = 357;

    [Fact]
    public void Every_vector_of_Wycheproof_is_judged_as_it_says()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "json_web_signature_test.json")));
        var texts = new Dictionary<int, string>();
        var wrong = new List<string>();
        var count = 0;
        foreach (var group in vectors.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            var key = VerificationKey.FromJson(group.TryGetProperty("public", out var published) ? published : group.GetProperty("private"));
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                count++;
                var id = test.GetProperty("tcId").GetInt32();
                var isValid = JsonWebSignature.Parse(test.GetProperty("jws").ToString()) is { } jws && key?.Verify(jws) == true;
                texts[id] = test.GetProperty("jws").ToString();
                var expected = (test.GetProperty("result").GetString() == "valid" && !RefusedThoughValid.Contains(id)) || ValidThoughRefused.Contains(id);
                if (isValid != expected)
                {
                    wrong.Add($"{id} {test.GetProperty("comment").GetString()}: {isValid}");
                }
            }
        }

        Assert.Equal(401, count);
        Assert.Equal([], wrong);
        Assert.All(ValidThoughRefused, id => Assert.Equal(texts[TheirOriginal], texts[id]));
    }

    [Theory]
    [InlineData("""{"alg":"HS256","typ":"JWT"}""", true)]
    [InlineData(""" { "typ" : "JWT" , "alg" : "HS256" , "x5t":"abc" } """, true)]
    [InlineData("""{"alg":"HS256","alg":"HS256"}""", false)]
    [InlineData("""{"alg":"HS256","kid":"a","kid":"b"}""", false)]
    [InlineData("""{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}""", false)]
    [InlineData("""{"alg":"HS256","jku":"https://attacker.example/jwks"}""", false)]
    [InlineData("""{"alg":"HS256","x5u":"https://attacker.example/cert"}""", false)]
    [InlineData("""{"alg":"HS256","x5c":["AAAA"]}""", false)]
    [InlineData("""{"alg":"HS256","crit":["exp"]}""", false)]
    [InlineData("""{"alg":"HS256","b64":false}""", false)]
    [InlineData("""{"alg":"HS256","zip":"DEF"}""", false)]
    [InlineData("""{"alg":"hs256"}""", false)]
    [InlineData("""{"alg":"none"}""", false)]
    [InlineData("""{"alg":""}""", false)]
    [InlineData("""{"alg":["HS256"]}""", false)]
    [InlineData("""{"alg":null}""", false)]
    [InlineData("""{"typ":"JWT"}""", false)]
    [InlineData("""["HS256"]""", false)]
    [InlineData("""{"alg":"HS256"}{}""", false)]
    [InlineData("""{"alg":"HS256"} x""", false)]
    [InlineData("""{"alg":"HS256" """, false)]
    public void A_header_brings_an_algorithm_and_no_key_nor_anything_that_changes_how_it_is_read(string header, bool isTaken)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString("{}"u8)}";
        var token = $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}";

        Assert.Equal(isTaken, JsonWebSignature.Parse(token) is { } jws && VerificationKey.OfSecret(secret).Verify(jws));
    }

    [Theory]
    [InlineData("""{"kty":"RSA","n":"uNKC","e":"AQAB"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256K","x":"AAAA","y":"AAAA"}""")]
    [InlineData("""{"kty":"oct","k":"AAAA"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"AAAA"}""")]
    [InlineData("""{"kty":1}""")]
    [InlineData("""{"use":["sig"]}""")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void A_key_that_is_short_broken_or_of_an_unknown_kind_is_none(string key)
    {
        using var json = JsonDocument.Parse(key);

        Assert.Null(VerificationKey.FromJson(json.RootElement));
    }
}
