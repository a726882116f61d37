using System.Text.Json;
using Lintel.Features.Accounts.Keys;

namespace Lintel.Features.Accounts.External;

/// <summary>Where a provider does what, as it says itself (OpenID Connect Discovery).</summary>
/// <param name="KeysEndpoint">Null where it signs nothing.</param>
/// <param name="UsesBasic">The client's secret goes into a header rather than into the form.</param>
/// <param name="TellsIssuer">It names itself when it sends a browser back (RFC 9207).</param>
internal sealed record ProviderMetadata(
    string AuthorizationEndpoint, string TokenEndpoint, string? UserEndpoint, string? KeysEndpoint, bool UsesBasic, bool TellsIssuer);

/// <summary>What one provider published, kept for a while. One request at a time asks for it, and an outage leaves what was known.</summary>
internal sealed class ProviderDirectory(ExternalProvider provider, ProviderConnection connection, TimeProvider time) : IDisposable
{
    private const string WellKnown = "/.well-known/openid-configuration";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysInterval = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _loading = new(1, 1);
    private ProviderMetadata? _metadata;
    private long _metadataAt;
    private IReadOnlyList<VerificationKey> _keys = [];
    private long? _keysAt;

    public async Task<ProviderMetadata> GetAsync(CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken);
        try
        {
            if (_metadata is null || time.GetElapsedTime(_metadataAt) > Lifetime)
            {
                _metadata = provider.IsGitHub ? OfGitHub() : await DiscoverAsync(cancellationToken);
                _metadataAt = time.GetTimestamp();
            }
        }
        catch (ProviderUnavailableException) when (_metadata is not null)
        {
            // What was true an hour ago is most likely true now.
        }
        finally
        {
            _loading.Release();
        }

        return _metadata!;
    }

    /// <summary>The key of a token; asked for anew when it is not known, but not again for a minute.</summary>
    public async Task<VerificationKey?> FindKeyAsync(JsonWebSignature jws, CancellationToken cancellationToken)
    {
        var metadata = await GetAsync(cancellationToken);
        await _loading.WaitAsync(cancellationToken);
        try
        {
            if (Find(jws) is { } known)
            {
                return known;
            }

            if (metadata.KeysEndpoint is { } endpoint && (_keysAt is not { } last || time.GetElapsedTime(last) > KeysInterval))
            {
                var answer = await SendAsync(endpoint, cancellationToken);
                _keys = answer.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
                    ? [.. keys.EnumerateArray().Select(VerificationKey.FromJson).OfType<VerificationKey>()]
                    : [];
                _keysAt = time.GetTimestamp();
            }

            return Find(jws);
        }
        finally
        {
            _loading.Release();
        }
    }

    public void Dispose() => _loading.Dispose();

    /// <summary>Without an id the only key there is, as OpenID Connect has it.</summary>
    private VerificationKey? Find(JsonWebSignature jws) => jws.KeyId is { } id ? _keys.FirstOrDefault(key => key.Id == id) : _keys.Count == 1 ? _keys[0] : null;

    private ProviderMetadata OfGitHub()
    {
        var place = provider.Issuer.TrimEnd('/');

        // On GitHub's own server the interface for programs has a name of its own; on an Enterprise Server it has a path.
        var api = new Uri(place).Host == "github.com" ? "https://api.github.com" : place + "/api/v3";
        return new($"{place}/login/oauth/authorize", $"{place}/login/oauth/access_token", $"{api}/user", null, UsesBasic: false, TellsIssuer: false);
    }

    private async Task<ProviderMetadata> DiscoverAsync(CancellationToken cancellationToken)
    {
        var document = await SendAsync(provider.Issuer.TrimEnd('/') + WellKnown, cancellationToken);

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

    private async Task<JsonElement> SendAsync(string address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        var answer = await connection.SendAsync(provider, request, cancellationToken);
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
internal sealed class ProviderDirectories(ExternalOptions options, ProviderConnection connection, TimeProvider time) : IDisposable
{
    private readonly Dictionary<string, ProviderDirectory> _directories =
        options.Providers.ToDictionary(static provider => provider.Id, provider => new ProviderDirectory(provider, connection, time), StringComparer.Ordinal);

    public ProviderDirectory Of(ExternalProvider provider) => _directories[provider.Id];

    public void Dispose()
    {
        foreach (var directory in _directories.Values)
        {
            directory.Dispose();
        }
    }
}
