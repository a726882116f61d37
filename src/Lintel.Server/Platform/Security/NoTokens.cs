namespace Lintel.Platform.Security;

/// <summary>Stands in where no feature issues tokens or tickets: none is valid.</summary>
internal sealed class NoTokens : IAccessTokenVerifier, ITicketRedeemer
{
    public ValueTask<CallerResult> VerifyAsync(string token) => new(CallerResult.Invalid);

    public ValueTask<CallerResult> RedeemAsync(string ticket, string path, CancellationToken cancellationToken) => new(CallerResult.Invalid);
}
