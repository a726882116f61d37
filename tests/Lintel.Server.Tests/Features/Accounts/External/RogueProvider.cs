using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Accounts.External;

/// <summary>A provider that says whatever a test wants it to say, over real HTTP: OpenID Connect at its root, and a GitHub Enterprise Server beside.</summary>
internal sealed class RogueProvider : IDisposable
{
    public const string ClientId = "lintel";
    public const string ClientSecret = "rogue secret";

    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private int _tokenRequests;
    private int _downRequests;
    private int _hangRequests;

    public RogueProvider()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(AnswerAsync);
        _app.Start();
        Address = _app.Urls.First();
    }

    public string Address { get; }

    public int TokenRequests => _tokenRequests;

    public int DownRequests => _downRequests;

    /// <summary>Requests to the provider that never answers.</summary>
    public int HangRequests => _hangRequests;

    /// <summary>The ID token that it gives next; null for an answer without one.</summary>
    public string? IdToken { get; set; }

    /// <summary>Takes the place of the token endpoint's answer, where it is set.</summary>
    public Func<HttpContext, Task>? Misbehave { get; set; }

    public object UserInfo { get; set; } = new { };

    public object GitHubEmails { get; set; } = Array.Empty<object>();

    public void Reset() => (IdToken, Misbehave, UserInfo) = (null, null, new { });

    /// <summary>Claims as they should be, signed.</summary>
    public string Sign(string nonce, DateTimeOffset now, string email, Action<JsonObject>? change = null, string header = """{"alg":"RS256","kid":"rogue"}""", RSA? key = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = Address, ["aud"] = ClientId, ["sub"] = "sub-" + email, ["nonce"] = nonce, ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.ToUnixTimeSeconds() + 300,
            ["email"] = email, ["email_verified"] = true,
        };
        change?.Invoke(claims);
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Base64Url.EncodeToString((key ?? _key).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    public void Dispose()
    {
        ((IDisposable)_app).Dispose();
        _key.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/.well-known/openid-configuration":
                return SayAsync(context, Configuration(Address));
            case "/liar/.well-known/openid-configuration":
                return SayAsync(context, Configuration(Address));
            case "/down/.well-known/openid-configuration":
                Interlocked.Increment(ref _downRequests);
                context.Response.StatusCode = StatusCodes.Status502BadGateway;
                return Task.CompletedTask;
            case "/hang/.well-known/openid-configuration":
                Interlocked.Increment(ref _hangRequests);
                return Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
            case "/jwks":
                var key = _key.ExportParameters(false);
                return SayAsync(context, new { keys = new[] { new { kty = "RSA", kid = "rogue", use = "sig", n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } });
            case "/token":
                Interlocked.Increment(ref _tokenRequests);
                return Misbehave is { } misbehave ? misbehave(context) : SayAsync(context, new { access_token = "at", token_type = "bearer", id_token = IdToken });
            case "/userinfo":
                return SayAsync(context, UserInfo);
            case "/login/oauth/access_token":
                return SayAsync(context, new { access_token = "gh", token_type = "bearer" });
            case "/api/v3/user":
                return SayAsync(context, new { id = 4711, login = "mason", name = (string?)null });
            case "/api/v3/user/emails":
                return SayAsync(context, GitHubEmails);
            default:
                context.Response.StatusCode = 404;
                return Task.CompletedTask;
        }
    }

    private object Configuration(string issuer) => new
    {
        issuer,
        authorization_endpoint = Address + "/authorize",
        token_endpoint = Address + "/token",
        userinfo_endpoint = Address + "/userinfo",
        jwks_uri = Address + "/jwks",
    };

    private static Task SayAsync(HttpContext context, object value)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(value));
    }
}
