using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Guessing;

/// <summary>How often somebody may be wrong before they have to wait. Passwords, codes and second factors are counted apart.</summary>
internal sealed class GuessOptions
{
    /// <summary>From one network at one account.</summary>
    public required int Tries { get; init; }

    /// <summary>At one account, from all networks together that it was not signed in from lately.</summary>
    public required int TriesPerAccount { get; init; }

    /// <summary>From one network, at whatever accounts that were not signed in to from there lately.</summary>
    public required int TriesPerNetwork { get; init; }

    /// <summary>Each further try waits twice as long as the one before, up to this.</summary>
    public required TimeSpan LongestWait { get; init; }

    public static GuessOptions Read(SettingsReader settings) => new()
    {
        Tries = settings.Number("GUESS_TRIES", 5, 1, 1_000_000_000),
        TriesPerAccount = settings.Number("GUESS_TRIES_PER_ACCOUNT", 20, 1, 1_000_000_000),
        TriesPerNetwork = settings.Number("GUESS_TRIES_PER_NETWORK", 100, 1, 1_000_000_000),
        LongestWait = TimeSpan.FromSeconds(settings.Number("GUESS_LONGEST_WAIT", 900, 1, 86_400)),
    };
}
