using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lintel.Platform.Errors;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Lintel.Features.Accounts.External;

/// <summary>
/// The framework's OAuth handler for one request, without the authentication middleware around it: it makes and checks state, the cookie that binds it to a browser, and PKCE; what comes of it is
/// handed to the endpoint, and nobody is signed in by a cookie.
/// </summary>
/// <remarks>It gets no logger: at debug level the framework's would write down cookies and states.</remarks>
internal sealed class ExternalHandler(ExternalHandler.Settings settings, ExternalProvider provider, ProviderMetadata metadata, ProviderConnection connection, IdentityReader identities, Uri publicUrl)
    : OAuthHandler<OAuthOptions>(settings, NullLoggerFactory.Instance, UrlEncoder.Default)
{
    public const string ReturnTo = "return_to";
    public const string Challenge = "challenge";

    private const string Nonce = "nonce";

    // Where the provider sends the browser: never from a request's own Host header.
    private readonly string _redirectUri = new Uri(publicUrl, provider.CallbackPath.TrimStart('/')).AbsoluteUri;

    private bool _isThisBrowser;
    private AuthenticationProperties? _properties;
    private ExternalIdentity? _identity;

    /// <summary>What the provider says of a browser that it sent back.</summary>
    public async Task<ExternalOutcome> FinishAsync()
    {
        try
        {
            var result = await HandleRemoteAuthenticateAsync();
            return !_isThisBrowser ? new(null, null, null)
                : result is { Succeeded: true } && _identity is not null ? new(_properties, _identity, null)
                : new(_properties, null, result.Failure?.Data["error"] as string == "access_denied" ? "access_denied" : "server_error") { Reason = result.Failure?.Message };
        }
        catch (IdentityRefusedException refused)
        {
            return new(_properties, null, "server_error") { Reason = refused.Message };
        }
        catch (ServiceUnavailableException outage) when (_properties is not null)
        {
            return new(_properties, null, "temporarily_unavailable") { Reason = outage.GetBaseException().Message };
        }
    }

    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        // RFC 9207: an answer that another provider gave is not exchanged at this one.
        var issuer = Request.Query["iss"];
        return (issuer.Count > 0 || metadata.TellsIssuer) && issuer != provider.Issuer
            ? HandleRequestResult.Fail("The answer is of another provider.")
            : await base.HandleRemoteAuthenticateAsync();
    }

    protected override bool ValidateCorrelationId(AuthenticationProperties properties)
    {
        _isThisBrowser = base.ValidateCorrelationId(properties);
        _properties = _isThisBrowser ? properties : null;
        return _isThisBrowser;
    }

    protected override string BuildChallengeUrl(AuthenticationProperties properties, string redirectUri)
    {
        if (provider.IsGitHub)
        {
            return base.BuildChallengeUrl(properties, _redirectUri);
        }

        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        properties.Items[Nonce] = nonce;
        return QueryHelpers.AddQueryString(base.BuildChallengeUrl(properties, _redirectUri), Nonce, nonce);
    }

    protected override async Task<OAuthTokenResponse> ExchangeCodeAsync(OAuthCodeExchangeContext context)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "authorization_code",
            ["code"] = context.Code,
            ["redirect_uri"] = _redirectUri,
            [OAuthConstants.CodeVerifierKey] = context.Properties.Items[OAuthConstants.CodeVerifierKey]!,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        if (metadata.UsesBasic)
        {
            var credentials = $"{Uri.EscapeDataString(provider.ClientId)}:{Uri.EscapeDataString(provider.ClientSecret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        }
        else
        {
            form["client_id"] = provider.ClientId;
            form["client_secret"] = provider.ClientSecret;
        }

        request.Content = new FormUrlEncodedContent(form);
        var answer = await connection.SendAsync(provider, request, Context.RequestAborted);
        return answer is { IsSuccess: true, Body.ValueKind: JsonValueKind.Object }
            ? OAuthTokenResponse.Success(JsonDocument.Parse(answer.Body.GetRawText()))
            : throw new IdentityRefusedException($"The provider did not take the code; it answered {answer.Status}.");
    }

    protected override async Task<AuthenticationTicket> CreateTicketAsync(ClaimsIdentity identity, AuthenticationProperties properties, OAuthTokenResponse tokens)
    {
        _identity = await identities.ReadAsync(provider, tokens.Response!.RootElement, properties.Items.TryGetValue(Nonce, out var nonce) ? nonce! : "", Context.RequestAborted);
        return new(new ClaimsPrincipal(identity), properties, provider.Id);
    }

    /// <summary>The framework asks for settings by name, and for changes; there is one and it does not change.</summary>
    internal sealed class Settings(OAuthOptions options) : IOptionsMonitor<OAuthOptions>
    {
        public OAuthOptions CurrentValue => options;

        public OAuthOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<OAuthOptions, string?> listener) => null;
    }
}

/// <summary>What came of a browser's way to a provider and back.</summary>
/// <param name="Properties">Null where nothing proves that this browser began it; then there is no place to send it to.</param>
/// <param name="Error">A word of RFC 6749, where it failed.</param>
internal sealed record ExternalOutcome(AuthenticationProperties? Properties, ExternalIdentity? Identity, string? Error)
{
    /// <summary>For the log.</summary>
    public string? Reason { get; init; }
}

/// <summary>Makes handlers.</summary>
internal sealed class ExternalHandlers(
    ProviderDirectories directories, ProviderConnection connection, IdentityReader identities, Platform.Configuration.SecretKey secret, Platform.Configuration.ServerOptions server, TimeProvider time)
{
    private static readonly string[] GitHubScopes = ["read:user", "user:email"];
    private static readonly string[] OpenIdScopes = ["openid", "email", "profile"];

    /// <exception cref="ServiceUnavailableException">The provider does not tell how it is to be asked.</exception>
    public async Task<ExternalHandler> CreateAsync(ExternalProvider provider, HttpContext context)
    {
        var metadata = await directories.Of(provider).GetAsync(context.RequestAborted);
        var options = new OAuthOptions
        {
            ClientId = provider.ClientId,
            ClientSecret = provider.ClientSecret,
            AuthorizationEndpoint = metadata.AuthorizationEndpoint,
            TokenEndpoint = metadata.TokenEndpoint,
            CallbackPath = provider.CallbackPath,
            UsePkce = true,
            StateDataFormat = new ExternalState(secret, provider.Id, time),
            TimeProvider = time,
        };
        options.Scope.Clear();
        foreach (var scope in provider.IsGitHub ? GitHubScopes : OpenIdScopes)
        {
            options.Scope.Add(scope);
        }

        // It proves nothing but that this browser began, and goes to the callback alone.
        var cookie = options.CorrelationCookie;
        cookie.Name = "lintel.external.";
        cookie.Path = new Uri(server.PublicUrl, provider.CallbackPath.TrimStart('/')).AbsolutePath;
        cookie.HttpOnly = true;
        cookie.SameSite = SameSiteMode.Lax;
        cookie.SecurePolicy = server.PublicUrl.Scheme == Uri.UriSchemeHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.None;

        var handler = new ExternalHandler(new(options), provider, metadata, connection, identities, server.PublicUrl);
        await handler.InitializeAsync(new AuthenticationScheme(provider.Id, null, typeof(ExternalHandler)), context);
        return handler;
    }
}
