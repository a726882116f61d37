using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.External;

/// <summary>The providers that one can sign in with.</summary>
/// <param name="Providers">None where none is configured.</param>
/// <example>{"providers":[{"id":"github","label":"GitHub"}]}</example>
public sealed record ExternalProviderList([property: Required] IReadOnlyList<ExternalProviderView> Providers);

/// <summary>A provider.</summary>
/// <param name="Id">Its word in addresses: <c>/auth/external/{id}</c>.</param>
/// <param name="Label">For people.</param>
public sealed record ExternalProviderView([property: Required] string Id, [property: Required] string Label);

/// <summary>What a client fetches its tokens with, or links the provider by.</summary>
/// <param name="Code">From the address that the browser came back to; good once, for 30 seconds.</param>
/// <param name="CodeVerifier">What the client made the <c>code_challenge</c> of (RFC 7636): 43 to 128 characters.</param>
/// <example>{"code":"Jq3w…","code_verifier":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}</example>
public sealed record ExternalCodeRequest([property: Required] string Code, [property: Required] string CodeVerifier);

/// <summary>The providers that your account is linked to.</summary>
/// <param name="Links">By their names.</param>
public sealed record ExternalLinkList([property: Required] IReadOnlyList<ExternalLinkView> Links);

/// <summary>A provider that your account is linked to.</summary>
/// <param name="Provider">Its word in addresses.</param>
/// <param name="Email">Your e-mail address there, as it was when you last used it.</param>
/// <param name="LinkedAt">When it was linked.</param>
/// <param name="LastUsedAt">When you last signed in with it.</param>
/// <example>{"provider":"github","email":"mason@example.com","linked_at":"2026-01-31T12:00:00.123456Z","last_used_at":null}</example>
public sealed record ExternalLinkView([property: Required] string Provider, string? Email, DateTimeOffset LinkedAt, DateTimeOffset? LastUsedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ExternalProviderList))]
[JsonSerializable(typeof(ExternalCodeRequest))]
[JsonSerializable(typeof(ExternalLinkList))]
internal sealed partial class ExternalJson : JsonSerializerContext;
