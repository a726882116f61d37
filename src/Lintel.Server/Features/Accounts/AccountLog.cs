namespace Lintel.Features.Accounts;

/// <summary>What happens to accounts, under the name that operators watch (<c>app.auth.service</c>). Ids only: no addresses, no secrets.</summary>
internal sealed partial class AccountLog(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("app.auth.service");

    [LoggerMessage(1, LogLevel.Information, "Account {UserId} was registered.")]
    public partial void Registered(long userId);

    [LoggerMessage(2, LogLevel.Information, "Account {UserId} signed in; session {SessionId}.")]
    public partial void SignedIn(long userId, Guid sessionId);

    [LoggerMessage(3, LogLevel.Warning, "A sign-in to account {UserId} was refused: {Reason}.")]
    public partial void SignInRefused(long? userId, string reason);

    [LoggerMessage(4, LogLevel.Warning, "A used refresh token of account {UserId} was sent again; its session {SessionId} was ended.")]
    public partial void RefreshReused(long userId, Guid sessionId);

    [LoggerMessage(5, LogLevel.Information, "Account {UserId} signed out of session {SessionId}.")]
    public partial void SignedOut(long userId, Guid sessionId);

    [LoggerMessage(6, LogLevel.Information, "The password of account {UserId} was hashed anew, with more rounds.")]
    public partial void Rehashed(long userId);

    [LoggerMessage(10, LogLevel.Information, "Account {UserId} signed out of {Sessions} sessions.")]
    public partial void SignedOutOfMany(long userId, int sessions);

    [LoggerMessage(50, LogLevel.Warning, "A sign-in with {Provider} was refused: {Reason}")]
    public partial void ExternalRefused(string provider, string reason);
}
