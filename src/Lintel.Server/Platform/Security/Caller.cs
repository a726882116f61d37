using System.Reflection;
using Lintel.Platform.RateLimits;

namespace Lintel.Platform.Security;

/// <summary>Who makes a request or holds a connection, whatever credential told it. Immutable, and shared by the requests of one credential.</summary>
public sealed class Caller : IBindableFromHttpContext<Caller>
{
    /// <summary>The owner that jobs of the static machine key are kept under; accounts count from 1.</summary>
    public const long StaticKeyOwner = 0;

    /// <summary>Whose things this caller sees: the account's id, or <see cref="StaticKeyOwner"/>.</summary>
    public required long OwnerId { get; init; }

    /// <summary>The session that a person signed in to; null for keys.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>The stored API key; null for sessions and for the static key.</summary>
    public Guid? KeyId { get; init; }

    /// <summary>What can be revoked: the session or the stored key. Null for the static key.</summary>
    public Guid? CredentialId => SessionId ?? KeyId;

    public string? Email { get; init; }

    public required Scopes Scopes { get; init; }

    /// <summary>When the credential ends; the maximum for those that do not.</summary>
    public DateTimeOffset ExpiresAt { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The partition that this caller's rate limits are counted in.</summary>
    public required string RateLimitKey { get; init; }

    /// <summary>Takes the place of the default rate limit; null where that one counts.</summary>
    internal RateLimitPolicy? RateLimit { get; init; }

    public bool Has(Scopes scopes) => (Scopes & scopes) == scopes;

    /// <summary>The caller of the request; routes that ask for one are marked with <c>RequireCaller</c>.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(context.Features.Get<Caller>());
}
