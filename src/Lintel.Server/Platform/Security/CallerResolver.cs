using Microsoft.Extensions.Primitives;

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
        var authorization = headers.Authorization;
        var key = headers["X-API-Key"];

        // Sent twice, a header is refused: proxies and servers do not agree on which one counts.
        if (authorization.Count > 1 || key.Count > 1)
        {
            return new(CallerResult.Invalid);
        }

        if (authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return tokens.VerifyAsync(value.AsSpan(Bearer.Length).Trim());
        }

        if (key is [{ Length: not 0 } single])
        {
            return FromApiKeyAsync(single, context, context.RequestAborted);
        }

        return new(IsBlank(authorization) && IsBlank(key) ? CallerResult.Missing : CallerResult.Invalid);
    }

    public ValueTask<CallerResult> FromTokenAsync(string token) => tokens.VerifyAsync(token);

    public async ValueTask<CallerResult> FromApiKeyAsync(string key, HttpContext context, CancellationToken cancellationToken)
    {
        foreach (var verifier in _keys)
        {
            var result = await verifier.VerifyAsync(key, context, cancellationToken);
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

    private static bool IsBlank(StringValues header) => header.Count == 0 || header is [null or ""];
}
