using System.Net.Http.Headers;
using Lintel.Cli.Api;

namespace Lintel.Cli.Accounts;

/// <summary>What a request shows: an access token, or an API key.</summary>
internal sealed record Credential(string? Token, string? ApiKey)
{
    /// <summary>The header that carries it.</summary>
    public (string Name, string Value) Header => Token is not null ? ("Authorization", "Bearer " + Token) : ("X-API-Key", ApiKey!);

    public void AddTo(HttpHeaders headers)
    {
        var (name, value) = Header;
        headers.TryAddWithoutValidation(name, value);
    }
}

/// <summary>
/// The credentials of one server. An access token that is about to expire is renewed, by one process at a time: the others find the new pair in the file,
/// where a refresh token that was used twice would end the session.
/// </summary>
internal sealed class Credentials
{
    /// <summary>A token that ends within this time is not begun with.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RefreshPatience = TimeSpan.FromSeconds(8);

    private readonly ApiClient _api;
    private readonly CredentialStore _store;
    private readonly string _server;
    private readonly TimeProvider _time;
    private StoredSignIn _signIn;

    private Credentials(ApiClient api, CredentialStore store, string server, StoredSignIn signIn, TimeProvider time)
    {
        (_api, _store, _server, _signIn, _time) = (api, store, server, signIn, time);
    }

    /// <summary>When the access token ends; null for a key, which does not.</summary>
    public DateTimeOffset? ExpiresAt => _signIn.ApiKey is null ? _signIn.ExpiresAt : null;

    public static Credentials Of(ApiClient api, CredentialStore store, StoredSignIn signIn, TimeProvider time) => new(api, store, api.Address.ToString(), signIn, time);

    /// <summary>A credential that holds now.</summary>
    public async Task<Credential> GetAsync(CancellationToken cancellationToken)
    {
        if (_signIn.ApiKey is null && !IsFresh(_signIn))
        {
            await RefreshAsync(_signIn.AccessToken, cancellationToken);
        }

        return Current();
    }

    /// <summary>Another credential than the token that was refused; null where there is none.</summary>
    public async Task<Credential?> RenewAsync(string refused, CancellationToken cancellationToken)
    {
        if (_signIn.ApiKey is not null)
        {
            return null;
        }

        if (_signIn.AccessToken == refused)
        {
            await RefreshAsync(refused, cancellationToken);
        }

        return Current();
    }

    private Credential Current() => _signIn.ApiKey is { } key ? new(null, key) : new(_signIn.AccessToken!, null);

    private bool IsFresh(StoredSignIn signIn) => signIn.ExpiresAt is { } end && end - _time.GetUtcNow() > Margin;

    private async Task RefreshAsync(string? refused, CancellationToken cancellationToken)
    {
        using var held = await _store.LockAsync(cancellationToken);

        // Another process may have been faster, or signed out.
        var file = _store.Read();
        if (!file.Servers.TryGetValue(_server, out var stored) || stored.RefreshToken is null)
        {
            throw new CommandException(ExitCode.NotAllowed, $"You are no longer signed in to {_server}; run `lintel login`.");
        }

        if (stored.AccessToken == refused || !IsFresh(stored))
        {
            var pair = await RequestAsync(stored.RefreshToken, cancellationToken);
            stored = stored with { AccessToken = pair.AccessToken, RefreshToken = pair.RefreshToken, ExpiresAt = _time.GetUtcNow().AddSeconds(pair.ExpiresIn) };
            file.Servers[_server] = stored;
            _store.WriteLocked(file);
        }

        _signIn = stored;
    }

    /// <summary>
    /// Asks for a new pair. Once asked it is asked again until there is an answer, within the time in which the server gives the same answer: the old token may be
    /// used up, and giving up would sign the user out.
    /// </summary>
    private async Task<TokenPair> RequestAsync(string refreshToken, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(RefreshPatience, _time);
        var mayHaveArrived = false;
        while (true)
        {
            try
            {
                using var refreshing = new ApiClient(_api.Address, _api.IsVerbose);
                return await refreshing.PostAsync(
                    "auth/refresh", new RefreshRequest(refreshToken), ApiJson.Default.RefreshRequest, ApiJson.Default.TokenPair, patience.Token);
            }
            catch (ServerUnreachableException broken) when ((mayHaveArrived |= broken.MayHaveArrived) && !patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), _time, CancellationToken.None);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                throw new CommandException(ExitCode.TryAgain, $"{_api.Address} did not answer; try again later.");
            }
            catch (CommandException refused) when (refused.ExitCode == ExitCode.NotAllowed)
            {
                throw new CommandException(ExitCode.NotAllowed, $"Your sign-in to {_server} has ended; run `lintel login`.", refused.Detail, refused);
            }
        }
    }
}
