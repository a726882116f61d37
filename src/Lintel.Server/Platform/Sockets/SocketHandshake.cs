using System.Net.WebSockets;
using Lintel.Platform.Security;

namespace Lintel.Platform.Sockets;

/// <summary>
/// Opens a WebSocket for a caller, wherever the credentials are: the handshake's headers, <c>?ticket=</c>, <c>?token=</c>, or the first message.
/// The middleware has dealt with headers; what is left is told on the socket, as a browser cannot see a refused handshake's reason.
/// </summary>
internal sealed class SocketHandshake(CallerResolver callers, LiveConnections connections, TimeProvider time)
{
    public const string MissingKey = "Missing API key";
    public const string InvalidKey = "Invalid API key";
    public const string InvalidToken = "Invalid or expired token";
    public const string Timeout = "Authentication timeout";
    public const string NotAllowed = "Not allowed";

    private static readonly Caller Nobody = new() { OwnerId = -1, Scopes = Scopes.None, RateLimitKey = "" };

    private static readonly TimeSpan FirstMessageTimeout = TimeSpan.FromSeconds(5);

    // A client is pinged when idle, and given up when it does not answer.
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs <paramref name="serve"/> with an accepted, authenticated socket; what the caller may not do is refused before.</summary>
    /// <param name="serve">Gets the connection, and true when the message it read last is the socket's own first message, still to be dealt with.</param>
    public async Task RunAsync(
        HttpContext context, Scopes scopes, Func<SocketConnection, bool, Task> serve, int maxMessage = SocketConnection.DefaultMaxMessage)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "websocket";
            return;
        }

        var (known, status) = await FromRequestAsync(context);
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            KeepAliveInterval = KeepAliveInterval,
            KeepAliveTimeout = KeepAliveTimeout,
        });

        // Until the caller is known the connection belongs to nobody, and only its own deadline ends it.
        using var connection = new SocketConnection(context, socket, known ?? Nobody, time, maxMessage);
        connections.Add(connection);
        try
        {
            var (caller, firstIsOwn) = (known, false);
            if (status == CredentialStatus.Missing)
            {
                (caller, firstIsOwn) = await FromFirstMessageAsync(connection, context);
            }
            else if (caller is null)
            {
                await connection.RefuseAsync(InvalidToken);
            }

            if (caller is not null && Admit(connection, caller, scopes))
            {
                await serve(connection, firstIsOwn);
            }
            else if (caller is not null)
            {
                await connection.RefuseAsync(NotAllowed);
            }
        }
        finally
        {
            connections.Remove(connection);
        }
    }

    /// <summary>Takes an <c>auth</c> message on an open socket: a new token of the same owner keeps it open.</summary>
    public async ValueTask RenewAsync(SocketConnection connection, SocketEnvelope message)
    {
        var result = message.Token is { } token ? await callers.FromTokenAsync(token) : CallerResult.Invalid;
        if (result.Caller is not { } caller || caller.OwnerId != connection.Caller.OwnerId)
        {
            await connection.RefuseAsync(InvalidToken);
            return;
        }

        Assign(connection, caller);
    }

    /// <summary>Deals with the message that was read last, where a socket knows no others than <c>auth</c> and <c>ping</c>.</summary>
    public async ValueTask AnswerAsync(SocketConnection connection)
    {
        switch (SocketEnvelope.Read(connection.Message.Span))
        {
            case null:
                await connection.CloseAsync(WebSocketCloseStatus.InvalidMessageType, "Only JSON text is understood");
                break;
            case { Type: "auth" } message:
                await RenewAsync(connection, message);
                break;
            case { Type: "ping" }:
                await connection.SendAsync(SocketText.Pong(time.GetUtcNow()));
                break;
            case { Type: var type }:
                await connection.SendErrorAsync($"Unknown message type: {type}");
                break;
        }
    }

    private bool Admit(SocketConnection connection, Caller caller, Scopes scopes)
    {
        if (!caller.Has(scopes))
        {
            return false;
        }

        if (connection.Caller != caller)
        {
            Assign(connection, caller);
        }

        return true;
    }

    /// <summary>The registry finds connections by session, so it must see the change.</summary>
    private void Assign(SocketConnection connection, Caller caller)
    {
        connections.Remove(connection);
        connection.Renew(caller);
        connections.Add(connection);
    }

    private async ValueTask<(Caller? Caller, CredentialStatus Status)> FromRequestAsync(HttpContext context)
    {
        if (context.Features.Get<Caller>() is { } caller)
        {
            return (caller, CredentialStatus.Valid);
        }

        var query = context.Request.Query;
        CallerResult result;
        if (query.TryGetValue("ticket", out var ticket))
        {
            result = await callers.FromTicketAsync(ticket.ToString(), context.Request.Path.Value ?? "", context.RequestAborted);
        }
        else if (query.TryGetValue("token", out var token))
        {
            result = await callers.FromTokenAsync(token.ToString());
        }
        else
        {
            return (null, CredentialStatus.Missing);
        }

        return (result.Caller, result.Caller is null ? CredentialStatus.Invalid : CredentialStatus.Valid);
    }

    private async Task<(Caller? Caller, bool IsOwn)> FromFirstMessageAsync(SocketConnection connection, HttpContext context)
    {
        var reading = connection.ReceiveAsync().AsTask();
        if (await Task.WhenAny(reading, Task.Delay(FirstMessageTimeout, time, context.RequestAborted)) != reading)
        {
            await connection.SendErrorAsync(Timeout);
            await connection.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, Timeout);

            // Ends with the client's close frame, or with the connection at its close deadline.
            await reading;
            return (null, false);
        }

        if (await reading == SocketRead.Closed)
        {
            return (null, false);
        }

        if (SocketEnvelope.Read(connection.Message.Span) is not { } message)
        {
            await connection.CloseAsync(WebSocketCloseStatus.InvalidMessageType, "Only JSON text is understood");
            return (null, false);
        }

        var (result, refusal) = message switch
        {
            { ApiKey: { Length: > 0 } key } => (await callers.FromApiKeyAsync(key, context.RequestAborted), InvalidKey),
            { Token: { Length: > 0 } token } => (await callers.FromTokenAsync(token), InvalidToken),
            _ => (CallerResult.Missing, MissingKey),
        };
        if (result.Caller is null)
        {
            await connection.RefuseAsync(refusal);
        }

        return (result.Caller, message.Type != "auth");
    }
}
