namespace Lintel.Platform.Security;

/// <summary>Turns any credential into a <see cref="Caller"/>. HTTP and sockets differ only in where they look.</summary>
internal sealed class CallerResolver(IAccessTokenVerifier tokens, IEnumerable<IApiKeyVerifier> keys, ITicketRedeemer tickets)
{
    private const string Bearer = "Bearer ";

    private readonly IApiKeyVerifier[] _keys = [.. keys];

    /// <summary>The caller of the request's <c>Authorization</c> or <c>X-API-Key</c> header.</summary>
    public ValueTask<CallerResult> FromHeadersAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var authorization = headers.Authorization.ToString();
        if (authorization.Length != 0)
        {
            return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
                ? FromTokenAsync(authorization[Bearer.Length..].Trim())
                : new(CallerResult.Invalid);
        }

        var key = headers["X-API-Key"].ToString();
        return key.Length != 0 ? FromApiKeyAsync(key, context.RequestAborted) : new(CallerResult.Missing);
    }

    public ValueTask<CallerResult> FromTokenAsync(string token) => tokens.VerifyAsync(token);

    public async ValueTask<CallerResult> FromApiKeyAsync(string key, CancellationToken cancellationToken)
    {
        foreach (var verifier in _keys)
        {
            var result = await verifier.VerifyAsync(key, cancellationToken);
            if (result.Status != CredentialStatus.Invalid)
            {
                return result;
            }
        }

        return CallerResult.Invalid;
    }

    /// <summary>Uses up a ticket; it is good for <paramref name="path"/> alone.</summary>
    public ValueTask<CallerResult> FromTicketAsync(string ticket, string path, CancellationToken cancellationToken) =>
        tickets.RedeemAsync(ticket, path, cancellationToken);
}
