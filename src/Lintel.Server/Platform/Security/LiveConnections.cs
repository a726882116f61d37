namespace Lintel.Platform.Security;

/// <summary>All open sockets and event streams, found by session or key, so that a revocation ends them at once.</summary>
internal sealed partial class LiveConnections(RevokedCredentials revoked, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<LiveConnections> logger) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    // The head of a list a session or key; connections without either are under the empty id.
    private readonly Dictionary<Guid, LiveConnection> _heads = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>All that are open at this moment.</summary>
    public List<LiveConnection> List()
    {
        List<LiveConnection> all = [];
        AddTo(all);
        return all;
    }

    public void Add(LiveConnection connection)
    {
        lock (_gate)
        {
            var key = Key(connection);
            if (_heads.TryGetValue(key, out var head))
            {
                connection.Next = head;
                head.Previous = connection;
            }

            _heads[key] = connection;
            _count++;
        }

        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            connection.End(EndReason.ServerStopping);
        }
        else if (connection.Caller.CredentialId is { } credential && revoked.Contains(credential))
        {
            // Revoked between the check of its credential and now, when EndAll could not find it.
            connection.End(EndReason.Revoked);
        }
    }

    public void Remove(LiveConnection connection)
    {
        lock (_gate)
        {
            if (connection.Previous is { } previous)
            {
                previous.Next = connection.Next;
            }
            else if (connection.Next is { } next)
            {
                _heads[Key(connection)] = next;
            }
            else
            {
                _heads.Remove(Key(connection));
            }

            if (connection.Next is not null)
            {
                connection.Next.Previous = connection.Previous;
            }

            connection.Next = connection.Previous = null;
            _count--;
        }
    }

    /// <summary>Ends every connection of a session or key that was revoked. It must be among <see cref="RevokedCredentials"/> before.</summary>
    public void EndAll(Guid credentialId)
    {
        List<LiveConnection> ending = [];
        lock (_gate)
        {
            _heads.TryGetValue(credentialId, out var head);
            for (var connection = head; connection is not null; connection = connection.Next)
            {
                ending.Add(connection);
            }
        }

        ending.ForEach(connection => Safely(connection, static ended => ended.End(EndReason.Revoked)));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = lifetime.ApplicationStopping.Register(() => ForEach(static connection => connection.End(EndReason.ServerStopping), []));
        // Kept from tick to tick: with ten thousand connections a new one each second would be most of an idle server's garbage.
        List<LiveConnection> ticking = [];
        using var timer = new PeriodicTimer(TickInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = time.GetUtcNow();
            ForEach(connection => connection.Tick(now), ticking);
        }
    }

    // May change only while the connection is out of the registry: a socket may be renewed by a token of another session of its owner.
    private static Guid Key(LiveConnection connection) => connection.Caller.CredentialId ?? Guid.Empty;

    private void ForEach(Action<LiveConnection> action, List<LiveConnection> all)
    {
        AddTo(all);
        foreach (var connection in all)
        {
            Safely(connection, action);
        }

        all.Clear();
    }

    private void AddTo(List<LiveConnection> all)
    {
        lock (_gate)
        {
            foreach (var head in _heads.Values)
            {
                for (var connection = head; connection is not null; connection = connection.Next)
                {
                    all.Add(connection);
                }
            }
        }
    }

    /// <summary>One connection's failure must not keep the others from their turn, nor end the server.</summary>
    private void Safely(LiveConnection connection, Action<LiveConnection> action)
    {
        try
        {
            action(connection);
        }
        catch (Exception failure)
        {
            Log.ConnectionFailed(logger, failure);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "A connection could not be looked after.")]
        public static partial void ConnectionFailed(ILogger logger, Exception failure);
    }
}
