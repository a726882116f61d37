using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lintel.Features.Accounts;

/// <summary>JWTs made by hand, right and wrong ones.</summary>
internal static class TestJwt
{
    /// <summary>The fixture's <c>SECRET_KEY</c>.</summary>
    public static readonly byte[] Key = "0123456789abcdef0123456789abcdef-for-tests"u8.ToArray();

    public static JsonElement Header(string token) => Part(token, 0);

    public static JsonElement Payload(string token) => Part(token, 1);

    /// <summary>The claims of a token with some of them changed, signed as asked.</summary>
    public static string Change(string token, Action<JsonObject> change, byte[]? key = null, string algorithm = "HS256")
    {
        var claims = JsonNode.Parse(Payload(token).GetRawText())!.AsObject();
        change(claims);
        return Sign(claims.ToJsonString(), key ?? Key, algorithm);
    }

    public static string Sign(string payload, byte[] key, string algorithm = "HS256")
    {
        var signed = $"{Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""")}.{Encode(payload)}";
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm switch
        {
            "HS256" => HMACSHA256.HashData(key, bytes),
            "HS384" => HMACSHA384.HashData(key, bytes),
            "HS512" => HMACSHA512.HashData(key, bytes),
            _ => [],
        };
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static JsonElement Part(string token, int index) => JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[index])).RootElement;
}
