namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>What happens to second factors, under the name that operators watch. Ids only.</summary>
internal sealed partial class SecondFactorLog(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("app.auth.service");

    [LoggerMessage(20, LogLevel.Information, "A sign-in to account {UserId} wants a second factor.")]
    public partial void Wanted(long userId);

    [LoggerMessage(21, LogLevel.Warning, "A second factor of account {UserId} was refused: {Method}.")]
    public partial void Refused(long userId, string method);

    [LoggerMessage(22, LogLevel.Warning, "A sign-in to account {UserId} with a passkey was refused.")]
    public partial void PasskeyRefused(long userId);

    [LoggerMessage(23, LogLevel.Information, "Account {UserId} has a second factor more: {Factor}.")]
    public partial void Added(long userId, string factor);

    [LoggerMessage(24, LogLevel.Warning, "Account {UserId} has a second factor less: {Factor}.")]
    public partial void Removed(long userId, string factor);
}
