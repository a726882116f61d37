using System.Collections.Concurrent;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Beams.Live;

/// <summary>
/// The live sessions of this node: sockets of one owner under one name, each of which sees the others' results. Nothing of a session is kept; what must outlive its
/// sockets goes through a batch.
/// </summary>
internal sealed class DesignSessions
{
    private readonly ConcurrentDictionary<(long OwnerId, string Name), DesignSession> _sessions = new();
    private readonly Lock _gate = new();

    public DesignSession Join(long ownerId, string name, DesignMember member)
    {
        lock (_gate)
        {
            var session = _sessions.GetOrAdd((ownerId, name), static key => new DesignSession(key));
            session.Members = [.. session.Members, member];
            return session;
        }
    }

    public void Leave(DesignSession session, DesignMember member)
    {
        lock (_gate)
        {
            session.Members = [.. session.Members.Where(other => other != member)];
            if (session.Members.Length == 0)
            {
                _sessions.TryRemove(session.Key, out _);
            }
        }

        member.Outbox.Close();
    }
}

internal sealed class DesignSession((long OwnerId, string Name) key)
{
    public (long OwnerId, string Name) Key => key;

    /// <summary>Replaced as a whole, so that it can be gone through without a lock.</summary>
    public DesignMember[] Members { get; set; } = [];

    /// <summary>Shows a result to the others.</summary>
    public void Share(DesignMember from, ReadOnlyMemory<byte> message)
    {
        var members = Members;
        if (members.Length < 2)
        {
            return;
        }

        var copy = message.ToArray();
        foreach (var member in members)
        {
            if (member != from)
            {
                member.Outbox.Post(copy);
            }
        }
    }
}

/// <summary>One socket in a live session.</summary>
internal sealed class DesignMember(SocketConnection connection)
{
    public SocketOutbox Outbox { get; } = new(connection);
}
