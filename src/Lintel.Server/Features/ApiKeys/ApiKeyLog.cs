namespace Lintel.Features.ApiKeys;

/// <summary>What happens to keys, under the name that operators watch (<c>app.auth.service</c>). Ids only, never a key.</summary>
internal sealed partial class ApiKeyLog(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("app.auth.service");

    [LoggerMessage(1, LogLevel.Information, "Account {UserId} made API key {KeyId}.")]
    public partial void Created(long userId, Guid keyId);

    [LoggerMessage(2, LogLevel.Information, "Account {UserId} revoked API key {KeyId}.")]
    public partial void Revoked(long userId, Guid keyId);
}
