using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Guessing;

internal static class GuessingSetup
{
    /// <summary>What makes guessing slow.</summary>
    public static void AddGuessing(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(GuessOptions.Read);
        builder.AddSettings(SecretKey.Read);
        builder.Services.AddSingleton<GuessKeys>();
        builder.Services.AddSingleton<Guesses>();
    }
}
