namespace Lintel.Platform.Security;

/// <summary>Checks access tokens. Accounts implements it.</summary>
internal interface IAccessTokenVerifier
{
    /// <summary>Complete when it returns, but for a token whose key nobody here has heard of: it is asked on every request.</summary>
    ValueTask<CallerResult> VerifyAsync(ReadOnlySpan<char> token);
}

/// <summary>Checks one kind of API key; kinds are asked in turn until one knows the key.</summary>
internal interface IApiKeyVerifier
{
    /// <param name="key">As it was sent.</param>
    /// <param name="context">The request, or the handshake of the socket, that it came with.</param>
    /// <returns><see cref="CredentialStatus.Invalid"/> for a key that this verifier does not know.</returns>
    ValueTask<CallerResult> VerifyAsync(string key, HttpContext context, CancellationToken cancellationToken);
}

/// <summary>Redeems the single-use tickets with which browsers open sockets and event streams. Accounts implements it.</summary>
internal interface ITicketRedeemer
{
    ValueTask<CallerResult> RedeemAsync(string ticket, string path, CancellationToken cancellationToken);
}
