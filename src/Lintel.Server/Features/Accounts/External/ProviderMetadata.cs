using System.Text.Json;
using Lintel.Features.Accounts.Keys;

namespace Lintel.Features.Accounts.External;

/// <summary>Where a provider does what, as it says itself (OpenID Connect Discovery).</summary>
/// <param name="KeysEndpoint">Null where it signs nothing.</param>
/// <param name="UsesBasic">The client's secret goes into a header rather than into the form.</param>
/// <param name="TellsIssuer">It names itself when it sends a browser back (RFC 9207).</param>
internal sealed record ProviderMetadata(
    string AuthorizationEndpoint, string TokenEndpoint, string? UserEndpoint, string? KeysEndpoint, bool UsesBasic, bool TellsIssuer);

/// <summary>
/// What one provider published, kept for a while. One request at a time asks for it, for all who want to know: it takes as long as the provider's patience lasts and no longer, and none of those
/// who wait ends it by going away. An outage leaves what was known.
/// </summary>
internal sealed class ProviderDirectory(ExternalProvider provider, ProviderConnection connection, TimeProvider time)
{
    private const string WellKnown = "/.well-known/openid-configuration";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private ProviderMetadata? _metadata;
    private long _metadataAt;
    private Task<ProviderMetadata>? _loading;
    private volatile IReadOnlyList<VerificationKey> _keys = [];
    private long? _keysAt;
    private Task _loadingKeys = Task.CompletedTask;

    public async ValueTask<ProviderMetadata> GetAsync(CancellationToken cancellationToken)
    {
        Task<ProviderMetadata> loading;
        lock (_gate)
        {
            if (_metadata is { } fresh && time.GetElapsedTime(_metadataAt) <= Lifetime)
            {
                return fresh;
            }

            loading = _loading = _loading is { IsCompleted: false } ? _loading : LoadAsync();
            if (_metadata is { } known)
            {
                // What was true an hour ago is most likely true now, and nobody waits for what is newer.
                return known;
            }
        }

        return await loading.WaitAsync(cancellationToken);
    }

    /// <summary>The key of a token; asked for anew when it is not known, but not again for a minute.</summary>
    public async Task<VerificationKey?> FindKeyAsync(JsonWebSignature jws, CancellationToken cancellationToken)
    {
        var metadata = await GetAsync(cancellationToken);
        if (Find(jws) is null && metadata.KeysEndpoint is { } endpoint)
        {
            await RefreshKeysAsync(endpoint).WaitAsync(cancellationToken);
        }

        return Find(jws);
    }

    private async Task<ProviderMetadata> LoadAsync()
    {
        var metadata = provider.IsGitHub ? OfGitHub() : await DiscoverAsync();
        lock (_gate)
        {
            (_metadata, _metadataAt) = (metadata, time.GetTimestamp());
        }

        return metadata;
    }

    private Task RefreshKeysAsync(string endpoint)
    {
        lock (_gate)
        {
            if (_loadingKeys.IsCompleted && (_keysAt is not { } last || time.GetElapsedTime(last) > KeysInterval))
            {
                _loadingKeys = LoadKeysAsync(endpoint);
            }

            return _loadingKeys;
        }
    }

    private async Task LoadKeysAsync(string endpoint)
    {
        var answer = await SendAsync(endpoint);
        _keys = answer.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            ? [.. keys.EnumerateArray().Select(VerificationKey.FromJson).OfType<VerificationKey>()]
            : [];
        lock (_gate)
        {
            _keysAt = time.GetTimestamp();
        }
    }

    /// <summary>Without an id the only key there is, as OpenID Connect has it.</summary>
    private VerificationKey? Find(JsonWebSignature jws) => jws.KeyId is { } id ? _keys.FirstOrDefault(key => key.Id == id) : _keys.Count == 1 ? _keys[0] : null;

    private ProviderMetadata OfGitHub()
    {
        var place = provider.Issuer.TrimEnd('/');

        // On GitHub's own server the interface for programs has a name of its own; on an Enterprise Server it has a path.
        var api = new Uri(place).Host == "github.com" ? "https://api.github.com" : place + "/api/v3";
        return new($"{place}/login/oauth/authorize", $"{place}/login/oauth/access_token", $"{api}/user", null, UsesBasic: false, TellsIssuer: false);
    }

    private async Task<ProviderMetadata> DiscoverAsync()
    {
        var document = await SendAsync(provider.Issuer.TrimEnd('/') + WellKnown);

        // Letter for letter: a document that speaks for another issuer would make its users ours.
        if (Text(document, "issuer") != provider.Issuer)
        {
            throw new ProviderUnavailableException(provider.Id, new InvalidDataException("Its configuration speaks for another issuer."));
        }

        return new(
            Place(document, "authorization_endpoint"),
            Place(document, "token_endpoint"),
            document.TryGetProperty("userinfo_endpoint", out _) ? Place(document, "userinfo_endpoint") : null,
            Place(document, "jwks_uri"),
            // Every server takes the header (RFC 6749, section 2.3.1), unless it says otherwise.
            UsesBasic: !document.TryGetProperty("token_endpoint_auth_methods_supported", out _) || Lists(document, "token_endpoint_auth_methods_supported", "client_secret_basic"),
            TellsIssuer: document.TryGetProperty("authorization_response_iss_parameter_supported", out var tells) && tells.ValueKind == JsonValueKind.True);
    }

    private async Task<JsonElement> SendAsync(string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        var answer = await connection.SendAsync(provider, request, CancellationToken.None);
        return answer is { IsSuccess: true, Body.ValueKind: JsonValueKind.Object }
            ? answer.Body
            : throw new ProviderUnavailableException(provider.Id, new InvalidDataException($"It answered {answer.Status} at {address}."));
    }

    /// <summary>An address of the document, no weaker protected than the issuer itself.</summary>
    private string Place(JsonElement document, string name) =>
        Text(document, name) is { } text
        && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && new Uri(provider.Issuer).Scheme == Uri.UriSchemeHttp))
            ? text
            : throw new ProviderUnavailableException(provider.Id, new InvalidDataException($"Its configuration has no proper {name}."));

    private static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Lists(JsonElement document, string name, string word) =>
        document.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
        && list.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.GetString() == word);
}

/// <summary>The directories of all providers.</summary>
internal sealed class ProviderDirectories(ExternalOptions options, ProviderConnection connection, TimeProvider time)
{
    private readonly Dictionary<string, ProviderDirectory> _directories =
        options.Providers.ToDictionary(static provider => provider.Id, provider => new ProviderDirectory(provider, connection, time), StringComparer.Ordinal);

    public ProviderDirectory Of(ExternalProvider provider) => _directories[provider.Id];
}
