using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lintel.Features.Accounts.Keys;

namespace Lintel.Features.Accounts.External;

/// <summary>What a provider said does not prove who somebody is. The message is for the log.</summary>
internal sealed class IdentityRefusedException(string message) : Exception(message);

/// <summary>From what a provider gave for a code to who somebody is: by its ID token (OpenID Connect Core, section 3.1.3.7), or by asking GitHub.</summary>
internal sealed class IdentityReader(ProviderDirectories directories, ProviderConnection connection, TimeProvider time)
{
    private const int MaxSubject = 255;
    private const int MaxName = 100;

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <param name="tokens">The answer of the token endpoint.</param>
    /// <param name="nonce">What the sign-in was begun with.</param>
    /// <exception cref="IdentityRefusedException">It proves nothing.</exception>
    public Task<ExternalIdentity> ReadAsync(ExternalProvider provider, JsonElement tokens, string nonce, CancellationToken cancellationToken) =>
        provider.IsGitHub ? ReadGitHubAsync(provider, tokens, cancellationToken) : ReadOpenIdAsync(provider, tokens, nonce, cancellationToken);

    private async Task<ExternalIdentity> ReadOpenIdAsync(ExternalProvider provider, JsonElement tokens, string nonce, CancellationToken cancellationToken)
    {
        var directory = directories.Of(provider);
        var jws = JsonWebSignature.Parse(Text(tokens, "id_token") ?? throw new IdentityRefusedException("There is no ID token."))
            ?? throw new IdentityRefusedException("The ID token is none.");
        if (await directory.FindKeyAsync(jws, cancellationToken) is not { } key || !key.Verify(jws))
        {
            throw new IdentityRefusedException("The ID token is not signed by the provider.");
        }

        JsonElement claims;
        try
        {
            claims = JsonElement.Parse(jws.Payload);
        }
        catch (JsonException)
        {
            throw new IdentityRefusedException("The ID token has no claims.");
        }

        Check(provider, claims, nonce);
        var subject = Text(claims, "sub")!;

        // Many tell the address only to those who ask.
        var about = claims;
        if (Text(claims, "email") is null && (await directory.GetAsync(cancellationToken)).UserEndpoint is { } endpoint && Text(tokens, "access_token") is { } accessToken)
        {
            about = await AskAsync(provider, endpoint, accessToken, cancellationToken);
            if (Text(about, "sub") != subject)
            {
                throw new IdentityRefusedException("The provider told of somebody else than the ID token is for.");
            }
        }

        return Describe(provider, subject, Text(about, "email"), IsTrue(about, "email_verified"), Text(about, "name"));
    }

    private void Check(ExternalProvider provider, JsonElement claims, string nonce)
    {
        var now = time.GetUtcNow();
        if (claims.ValueKind != JsonValueKind.Object || Text(claims, "iss") != provider.Issuer)
        {
            throw new IdentityRefusedException("The ID token is of another issuer.");
        }

        var audiences = Audiences(claims);
        if (!audiences.Contains(provider.ClientId) || (Text(claims, "azp") ?? (audiences.Count == 1 ? provider.ClientId : null)) != provider.ClientId)
        {
            throw new IdentityRefusedException("The ID token is for another client.");
        }

        if (Seconds(claims, "exp") is not { } end || end <= (now - Skew).ToUnixTimeSeconds() || Seconds(claims, "iat") is not { } begin || begin > (now + Skew).ToUnixTimeSeconds())
        {
            throw new IdentityRefusedException("The ID token has expired, or is of a time to come.");
        }

        if (Text(claims, "nonce") != nonce)
        {
            throw new IdentityRefusedException("The ID token is of another sign-in.");
        }

        if (Text(claims, "sub") is not { Length: > 0 and <= MaxSubject } subject || subject.Any(char.IsControl))
        {
            throw new IdentityRefusedException("The ID token names nobody.");
        }
    }

    private async Task<ExternalIdentity> ReadGitHubAsync(ExternalProvider provider, JsonElement tokens, CancellationToken cancellationToken)
    {
        var accessToken = Text(tokens, "access_token") ?? throw new IdentityRefusedException("There is no access token.");
        var endpoint = (await directories.Of(provider).GetAsync(cancellationToken)).UserEndpoint!;
        var user = await AskAsync(provider, endpoint, accessToken, cancellationToken);
        var emails = await AskAsync(provider, endpoint + "/emails", accessToken, cancellationToken);
        if (Seconds(user, "id") is not { } id || emails.ValueKind != JsonValueKind.Array)
        {
            throw new IdentityRefusedException("The provider does not tell who it is.");
        }

        var primary = emails.EnumerateArray().FirstOrDefault(static email => email.ValueKind == JsonValueKind.Object && IsTrue(email, "primary"));
        var isKnown = primary.ValueKind == JsonValueKind.Object;

        // The number: a login name may be another's tomorrow.
        return Describe(
            provider, id.ToString(CultureInfo.InvariantCulture), isKnown ? Text(primary, "email") : null, isKnown && IsTrue(primary, "verified"), Text(user, "name") ?? Text(user, "login"));
    }

    private async Task<JsonElement> AskAsync(ExternalProvider provider, string endpoint, string accessToken, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        var answer = await connection.SendAsync(provider, request, cancellationToken);
        return answer.IsSuccess ? answer.Body : throw new IdentityRefusedException($"The provider answered {answer.Status} when asked who it is.");
    }

    private static ExternalIdentity Describe(ExternalProvider provider, string subject, string? email, bool isVerified, string? name)
    {
        var address = email?.Trim() is { } trimmed && EmailAddress.IsValid(trimmed) ? trimmed : null;
        return new(provider.Id, subject, address, address is not null && isVerified, Plain(name));
    }

    /// <summary>A name as an account may have one: text of somebody far away goes into mail and pages.</summary>
    private static string? Plain(string? name)
    {
        var plain = string.Concat((name ?? "").EnumerateRunes().Where(static rune => !Rune.IsControl(rune)).Take(MaxName).Select(static rune => rune.ToString())).Trim();
        return plain.Length == 0 ? null : plain;
    }

    private static List<string> Audiences(JsonElement claims) =>
        !claims.TryGetProperty("aud", out var audience) ? []
        : audience.ValueKind == JsonValueKind.String ? [audience.GetString()!]
        : audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!)]
        : [];

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Seconds(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>Some providers write the word rather than the value.</summary>
    private static bool IsTrue(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true"));
}
