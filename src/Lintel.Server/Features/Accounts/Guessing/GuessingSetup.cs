using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Guessing;

internal static class GuessingSetup
{
    /// <summary>What makes guessing slow.</summary>
    public static void AddGuessing(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(GuessOptions.Read);
        builder.AddSettings(SecretKey.Read);
        builder.AddExpiry("guess", "counter");
        builder.AddExpiry("guess_place", "subject, place");
        builder.Services.AddSingleton<GuessKeys>();
        builder.Services.AddSingleton<Guesses>();
    }
}
