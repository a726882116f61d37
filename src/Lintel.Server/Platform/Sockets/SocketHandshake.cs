using System.Net.WebSockets;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;

namespace Lintel.Platform.Sockets;

/// <summary>
/// Opens a WebSocket for a caller, wherever the credentials are: the handshake's headers, <c>?ticket=</c>, <c>?token=</c>, or the first message.
/// The middleware has dealt with headers; what is left is told on the socket, as a browser cannot see a refused handshake's reason.
/// </summary>
internal sealed class SocketHandshake(CallerResolver callers, LiveConnections connections, ConnectionPlaces places, SocketOrigins origins, TimeProvider time)
{
    public const string MissingKey = "Missing API key";
    public const string InvalidKey = "Invalid API key";
    public const string InvalidToken = "Invalid or expired token";
    public const string Timeout = "Authentication timeout";
    public const string NotAllowed = "Not allowed";
    public const string TooMany = "Too many connections";

    private static readonly ErrorResult ForeignOrigin = ApiErrors.Forbidden("Pages of this origin may not open sockets here; CORS_ORIGINS names those that may.");

    private static readonly Caller Nobody = new() { OwnerId = -1, Scopes = Scopes.None, RateLimitKey = "" };

    private static readonly TimeSpan FirstMessageTimeout = TimeSpan.FromSeconds(5);

    // A client is pinged when idle, and given up when it does not answer.
    private static readonly WebSocketAcceptContext Accept = new()
    {
        KeepAliveInterval = TimeSpan.FromSeconds(20),
        KeepAliveTimeout = TimeSpan.FromSeconds(20),
    };

    /// <summary>
    /// Accepts a socket and finds out whose it is. The connection is registered until it is disposed; its <see cref="SocketConnection.HasFirstMessage"/> tells whether
    /// the message that it read last is the socket's own first one, still to be dealt with.
    /// </summary>
    /// <returns>Null when it was refused, and the client told.</returns>
    /// <param name="greeting">What the socket's own first message must be, where it has one.</param>
    /// <param name="prepare">Runs before the client sees the socket open, where the caller is known by then and admitted; what it returns refuses the handshake.</param>
    public async Task<SocketConnection?> AcceptAsync(
        HttpContext context,
        Scopes scopes,
        int maxMessage = SocketConnection.DefaultMaxMessage,
        SocketGreeting? greeting = null,
        Func<Caller, ValueTask<ErrorResult?>>? prepare = null)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "websocket";
            return null;
        }

        if (!origins.Allows(context))
        {
            await ErrorWriter.WriteAsync(context, ForeignOrigin);
            return null;
        }

        // Those too whose credentials come later or never.
        if (!places.TryTakeAddress(context))
        {
            await ErrorWriter.WriteAsync(context, ApiErrors.TooManyConnections(places.AddressRefusal));
            return null;
        }

        var (known, status) = await FromRequestAsync(context);
        if (known?.Has(scopes) == true && prepare is not null && await prepare(known) is { } refusal)
        {
            await ErrorWriter.WriteAsync(context, refusal);
            return null;
        }

        var socket = await context.WebSockets.AcceptWebSocketAsync(Accept);

        // Until the caller is known the connection belongs to nobody, and only its own deadline ends it.
        var connection = new SocketConnection(context, socket, known ?? Nobody, connections, time, known is null ? Math.Min(maxMessage, SocketConnection.MaxFirstMessage) : maxMessage);
        try
        {
            if (await AdmitAsync(context, connection, known, status, scopes, greeting))
            {
                connection.Allow(maxMessage);
                return connection;
            }
        }
        catch
        {
            await connection.FailAsync();
            connection.Dispose();
            throw;
        }

        connection.Dispose();
        return null;
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

    private async ValueTask<bool> AdmitAsync(
        HttpContext context, SocketConnection connection, Caller? known, CredentialStatus status, Scopes scopes, SocketGreeting? greeting)
    {
        var caller = known;
        if (status == CredentialStatus.Missing)
        {
            caller = await FromFirstMessageAsync(context, connection, greeting);
        }
        else if (caller is null)
        {
            await connection.RefuseAsync(InvalidToken);
        }

        if (caller is null)
        {
            return false;
        }

        if (!caller.Has(scopes))
        {
            await connection.RefuseAsync(NotAllowed);
            return false;
        }

        if (!places.TryTake(context, caller.OwnerId))
        {
            await connection.SendErrorAsync(places.OwnerRefusal);
            await connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, TooMany);
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
            result = await callers.FromTicketAsync(ticket.ToString(), context.Request.Path.Value ?? "", CancellationToken.None);
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

    /// <summary>Waits for the first message; a client that sends none within 5 seconds is told so and goes.</summary>
    public async Task<SocketRead> ReceiveFirstAsync(SocketConnection connection)
    {
        var reading = connection.ReceiveAsync().AsTask();
        if (await Task.WhenAny(reading, Task.Delay(FirstMessageTimeout, time)) == reading)
        {
            return await reading;
        }

        await connection.SendErrorAsync(Timeout);
        await connection.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, Timeout);

        // Ends with the client's close frame, or with the connection at its close deadline.
        await reading;
        return SocketRead.Closed;
    }

    private async Task<Caller?> FromFirstMessageAsync(HttpContext context, SocketConnection connection, SocketGreeting? greeting)
    {
        if (await ReceiveFirstAsync(connection) == SocketRead.Closed)
        {
            return null;
        }

        if (SocketEnvelope.Read(connection.Message.Span) is not { } message)
        {
            await connection.CloseAsync(WebSocketCloseStatus.InvalidMessageType, "Only JSON text is understood");
            return null;
        }

        if (greeting is not null && message.Type != "auth" && message.Type != greeting.Type)
        {
            await connection.RefuseAsync(greeting.WrongType);
            return null;
        }

        connection.HasFirstMessage = message.Type != "auth";
        var (result, refusal) = message switch
        {
            { ApiKey: { Length: > 0 } key } => (await callers.FromApiKeyAsync(key, context, CancellationToken.None), InvalidKey),
            { Token: { Length: > 0 } token } => (await callers.FromTokenAsync(token), InvalidToken),
            _ when greeting is not null => (await greeting.FromMessageAsync(connection.Message), InvalidToken),
            _ => (CallerResult.Missing, MissingKey),
        };
        if (result.Status == CredentialStatus.Missing)
        {
            await connection.SendErrorAsync(greeting?.MissingKey ?? MissingKey);
            await connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, MissingKey);
        }
        else if (result.Caller is null)
        {
            await connection.RefuseAsync(refusal);
        }

        return result.Caller;
    }
}

/// <summary>The first message of a socket that takes credentials in it.</summary>
/// <param name="Type">Its type; only <c>auth</c> may come before it.</param>
/// <param name="MissingKey">What a message without credentials is told.</param>
/// <param name="FromMessageAsync">Looks for credentials that only this socket knows.</param>
internal sealed record SocketGreeting(string Type, string MissingKey, Func<ReadOnlyMemory<byte>, ValueTask<CallerResult>> FromMessageAsync)
{
    /// <summary>What another message is told.</summary>
    public string WrongType => $"First message must be of type '{Type}'";
}
