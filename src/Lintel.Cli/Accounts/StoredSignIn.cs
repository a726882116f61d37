using System.Text.Json.Serialization;

namespace Lintel.Cli.Accounts;

/// <summary>What one server knows this user by: a session's tokens, or an API key.</summary>
internal sealed record StoredSignIn
{
    public string? Email { get; init; }

    public string? AccessToken { get; init; }

    public string? RefreshToken { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public string? ApiKey { get; init; }

    /// <summary>With it the next sign-in of the same person needs no second factor.</summary>
    public string? DeviceToken { get; init; }

    /// <summary>It was agreed to that the credentials go over a connection that others can read.</summary>
    public bool Insecure { get; init; }
}

/// <summary>The file of credentials.</summary>
internal sealed record CredentialFile
{
    /// <summary>The server that was signed in to last.</summary>
    public string? Current { get; init; }

    public Dictionary<string, StoredSignIn> Servers { get; init; } = new(StringComparer.Ordinal);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, WriteIndented = true)]
[JsonSerializable(typeof(CredentialFile))]
internal sealed partial class CredentialsJson : JsonSerializerContext;
