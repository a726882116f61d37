namespace Lintel.Platform.Security;

/// <summary>Why the server ends a connection.</summary>
internal enum EndReason
{
    None,

    /// <summary>The session or key that opened it was revoked.</summary>
    Revoked,

    /// <summary>Its access token expired and no new one came, or its key expired.</summary>
    Expired,

    /// <summary>Its reader stopped reading.</summary>
    Stalled,

    /// <summary>What the connection is for failed.</summary>
    ServerError,

    /// <summary>The server is going away.</summary>
    ServerStopping,
}

/// <summary>A WebSocket or event stream that stays open. The registry keeps it in a list of its session's or key's, so the links live in the object itself.</summary>
internal abstract class LiveConnection(Caller caller)
{
    private const int Live = 0;
    private const int Aborting = 1;
    private const int Over = 2;

    private int _use;

    internal LiveConnection? Next;
    internal LiveConnection? Previous;

    /// <summary>Whose it is; a socket may renew it with a new token of the same owner, from whichever of the owner's sessions.</summary>
    public Caller Caller { get; protected set; } = caller;

    /// <summary>Called about once a second from one thread: the place for heartbeats, deadlines and expiry. Must not block.</summary>
    public abstract void Tick(DateTimeOffset now);

    /// <summary>Ends the connection soon. Called from any thread, possibly more than once; must not block.</summary>
    public abstract void End(EndReason reason);

    /// <summary>
    /// Cuts the transport off, if the request is still this connection's: its context is the server's to use again afterwards, and must never be touched then.
    /// </summary>
    protected void Abort(HttpContext context)
    {
        if (Interlocked.CompareExchange(ref _use, Aborting, Live) == Live)
        {
            context.Abort();
            Volatile.Write(ref _use, Live);
        }
    }

    /// <summary>Gives the context back: from here on nothing aborts it. Call it before the request ends.</summary>
    protected void Release()
    {
        var spin = default(SpinWait);
        while (Interlocked.CompareExchange(ref _use, Over, Live) == Aborting)
        {
            spin.SpinOnce();
        }
    }
}
