using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts;

/// <summary>Who may register, and how passwords are hashed.</summary>
internal sealed class AccountOptions
{
    /// <summary>Anybody may make an account; otherwise nobody can over HTTP.</summary>
    public required bool IsRegistrationOpen { get; init; }

    /// <summary>Rounds of PBKDF2-HMAC-SHA512. Raised later, it takes effect for each account at its next sign-in.</summary>
    public required int PasswordIterations { get; init; }

    /// <summary>Passwords that may wait to be hashed; when so many wait, sign-ins get a 503.</summary>
    public required int PasswordQueue { get; init; }

    /// <summary>Threads that hash, and nothing else does: hashing must not take every processor from other requests.</summary>
    public required int PasswordThreads { get; init; }

    public static AccountOptions Read(SettingsReader settings)
    {
        var threads = settings.Number("PASSWORD_HASH_THREADS", Math.Max(1, Environment.ProcessorCount / 2), 1, 256);
        return new()
        {
            IsRegistrationOpen = settings.Choice("REGISTRATION", true, ("open", true), ("closed", false)),
            PasswordIterations = settings.Number("PASSWORD_HASH_ITERATIONS", 220_000, 10_000, 10_000_000),
            PasswordQueue = settings.Number("PASSWORD_HASH_QUEUE", threads * 32, 1, 10_000),
            PasswordThreads = threads,
        };
    }
}
