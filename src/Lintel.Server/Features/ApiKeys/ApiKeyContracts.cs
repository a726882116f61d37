using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Security;

namespace Lintel.Features.ApiKeys;

/// <summary>A key to be made.</summary>
/// <param name="Name">What it is for, 1 to 100 characters.</param>
/// <param name="Scopes">What it may do: some of what you may do yourself, and at least one.</param>
/// <param name="ExpiresAt">When it stops working; never, where this is missing.</param>
/// <param name="RateLimit">Requests that it may make in a window, where that is to be other than the server's limit.</param>
/// <example>{"name":"nightly designs","scopes":["design"],"expires_at":"2027-01-31T12:00:00Z","rate_limit":30}</example>
public sealed record CreateApiKey(
    [property: Required, StringLength(CreateApiKey.MaxName, MinimumLength = 1)] string Name,
    [property: Required, MinLength(1), ScopeNames] IReadOnlyList<string> Scopes,
    DateTimeOffset? ExpiresAt = null,
    [property: Range(1, int.MaxValue)] int? RateLimit = null)
{
    internal const int MaxName = 100;
}

/// <summary>A new key. It is in this answer only: the server keeps its hash.</summary>
/// <param name="Id">Names the key in routes and logs.</param>
/// <param name="Key">Goes into <c>X-API-Key</c>. Keep it where secrets are kept.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">How the key begins, to tell it from others.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="RateLimit">Requests that it may make in a window; null where the server's limit counts.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it stops working; null for never.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","key":"ltl_3vQ8…","name":"nightly designs","prefix":"ltl_3vQ8xT0m","scopes":["design"],"rate_limit":30,"created_at":"2026-01-31T12:00:00.123456Z","expires_at":"2027-01-31T12:00:00.000000Z"}</example>
public sealed record CreatedApiKey(
    Guid Id,
    [property: Required] string Key,
    [property: Required] string Name,
    [property: Required] string Prefix,
    [property: Required, ScopeNames] IReadOnlyList<string> Scopes,
    int? RateLimit,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt)
{
    internal static CreatedApiKey From(ApiKey key, string text) =>
        new(key.Id, text, key.Name, key.Prefix, [.. key.Scopes.ToNames()], key.RateLimit, key.CreatedAt, key.ExpiresAt);
}

/// <summary>A key, as its owner sees it afterwards.</summary>
/// <param name="Id">Names the key in routes and logs.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">How the key begins.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="RateLimit">Requests that it may make in a window; null where the server's limit counts.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it stops working, or did; null for never.</param>
/// <param name="LastUsedAt">When it was last used, about a minute behind; null where it never was.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","name":"nightly designs","prefix":"ltl_3vQ8xT0m","scopes":["design"],"rate_limit":30,"created_at":"2026-01-31T12:00:00.123456Z","expires_at":"2027-01-31T12:00:00.000000Z","last_used_at":null}</example>
public sealed record ApiKeyView(
    Guid Id,
    [property: Required] string Name,
    [property: Required] string Prefix,
    [property: Required, ScopeNames] IReadOnlyList<string> Scopes,
    int? RateLimit,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt)
{
    internal static ApiKeyView From(ApiKey key) =>
        new(key.Id, key.Name, key.Prefix, [.. key.Scopes.ToNames()], key.RateLimit, key.CreatedAt, key.ExpiresAt, key.LastUsedAt);
}

/// <summary>A page of a person's keys.</summary>
/// <param name="Keys">Newest first; revoked ones are gone, expired ones stay for 30 days.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record ApiKeyList([property: Required] IReadOnlyList<ApiKeyView> Keys, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(CreateApiKey))]
[JsonSerializable(typeof(CreatedApiKey))]
[JsonSerializable(typeof(ApiKeyView))]
[JsonSerializable(typeof(ApiKeyList))]
internal sealed partial class ApiKeysJson : JsonSerializerContext;
