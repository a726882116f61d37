namespace Lintel.Platform.Security;

/// <summary>Why the server ends a connection.</summary>
internal enum EndReason
{
    None,

    /// <summary>The session or key that opened it was revoked.</summary>
    SignedOut,

    /// <summary>Its access token expired and no new one came.</summary>
    TokenExpired,

    /// <summary>Its reader stopped reading.</summary>
    Stalled,

    /// <summary>What the connection is for failed.</summary>
    ServerError,

    /// <summary>The server is going away.</summary>
    ServerStopping,
}

/// <summary>A WebSocket or event stream that stays open. The registry keeps it in a list of its session's, so the links live in the object itself.</summary>
internal abstract class LiveConnection(Caller caller)
{
    internal LiveConnection? Next;
    internal LiveConnection? Previous;

    /// <summary>Whose it is; a socket may renew it with a new token of the same session.</summary>
    public Caller Caller { get; protected set; } = caller;

    /// <summary>Called about once a second from one thread: the place for heartbeats, deadlines and expiry. Must not block.</summary>
    public abstract void Tick(DateTimeOffset now);

    /// <summary>Ends the connection soon. Called from any thread, possibly more than once; must not block.</summary>
    public abstract void End(EndReason reason);
}
