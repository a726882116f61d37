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

    /// <summary>It was agreed to that the credentials go over a connection that others can read.</summary>
    public bool Insecure { get; init; }
}

/// <summary>The file of credentials.</summary>
internal sealed record CredentialFile
{
    /// <summary>The server that was signed in to last.</summary>
    public string? Current { get; init; }

    public Dictionary<string, StoredSignIn> Servers { get; init; } = new(StringComparer.Ordinal);

    /// <summary>By server and e-mail address, which may be another than the one that is signed in, the token by which that server remembers this machine.</summary>
    public Dictionary<string, Dictionary<string, string>> Devices { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Null where the server does not remember this machine for the owner of the address.</summary>
    public string? DeviceOf(string server, string email) => Devices.GetValueOrDefault(server)?.GetValueOrDefault(KeyOf(email));

    public void Remember(string server, string email, string device)
    {
        if (!Devices.TryGetValue(server, out var known))
        {
            Devices[server] = known = new(StringComparer.Ordinal);
        }

        known[KeyOf(email)] = device;
    }

    /// <summary>Upper and lower case are the same person.</summary>
    private static string KeyOf(string email) => email.Trim().ToLowerInvariant();
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, WriteIndented = true)]
[JsonSerializable(typeof(CredentialFile))]
internal sealed partial class CredentialsJson : JsonSerializerContext;
