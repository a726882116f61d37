namespace Lintel.Features.Accounts.External;

/// <summary>Another server that people have an account with, as the settings name it. A class, not a record: nothing may print the secret.</summary>
internal sealed class ExternalProvider
{
    /// <summary>Its word in addresses: lower-case letters, digits and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>For people.</summary>
    public required string Label { get; init; }

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>The OpenID Connect issuer, as it writes itself; of GitHub, where it is.</summary>
    public required string Issuer { get; init; }

    /// <summary>GitHub speaks OAuth and no OpenID Connect.</summary>
    public bool IsGitHub { get; init; }

    public string CallbackPath => $"/auth/external/{Id}/callback";

    public string BreakerName => "oauth-" + Id;
}

/// <summary>What a provider says of who somebody is.</summary>
/// <param name="Subject">The one name that it gives nobody else, ever.</param>
/// <param name="IsEmailVerified">Whether the provider vouches for the address.</param>
internal sealed record ExternalIdentity(string Provider, string Subject, string? Email, bool IsEmailVerified, string? Name);
