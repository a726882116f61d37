namespace Lintel.Features.Accounts.Email;

/// <summary>What happens to addresses and by mail, under the name of all account events. Ids only: no addresses, no secrets.</summary>
internal sealed partial class EmailLog(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("app.auth.service");

    [LoggerMessage(101, LogLevel.Information, "The address of account {UserId} was confirmed.")]
    public partial void Verified(long userId);

    [LoggerMessage(102, LogLevel.Information, "The address of account {UserId} was changed.")]
    public partial void Changed(long userId);

    [LoggerMessage(103, LogLevel.Warning, "A mailed sign-in code was refused.")]
    public partial void CodeRefused();

    [LoggerMessage(104, LogLevel.Information, "The password of account {UserId} was changed: {How}.")]
    public partial void PasswordChanged(long userId, string how);
}
