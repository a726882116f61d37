using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>What bounds sessions.</summary>
internal sealed class SessionOptions
{
    /// <summary>Sessions that one account may have; the one used least goes when another begins.</summary>
    public required int PerAccount { get; init; }

    public static SessionOptions Read(SettingsReader settings) => new()
    {
        PerAccount = settings.Number("SESSIONS_PER_ACCOUNT", 100, 1, 1000),
    };
}
