using Lintel.Platform.Sockets;

namespace Lintel.Features.Chat.Presence;

/// <param name="Exempt">Who is not told: the one whom it is about, or 0.</param>
internal readonly record struct RoomNote(SocketFrames Frames, long Exempt);

/// <summary>
/// A room that has sockets on this node: its presence, and what is told without being kept. A socket that is busy gets the latest of it when it is not, and misses
/// what has been pushed out: nothing queues up for anybody.
/// </summary>
internal sealed class LiveRoom(long id, TimeProvider time)
{
    private const int MaxNotes = 64;

    // However many people type at once, so much is told of it in a second.
    private const int MaxTypingPerSecond = 20;

    private readonly Lock _gate = new();
    private readonly List<RoomSink> _sinks = [];
    private readonly RoomNote[] _notes = new RoomNote[MaxNotes];
    private long _lastNote;
    private long _typingSince;
    private int _typing;

    public long Id => id;

    public int Sockets
    {
        get
        {
            lock (_gate)
            {
                return _sinks.Count;
            }
        }
    }

    /// <summary>Who is here; null until it was read.</summary>
    public PresenceSnapshot? Presence { get; private set; }

    /// <summary>When presence was last told, as a timestamp of the clock; used by one reader alone.</summary>
    public long ToldAt { get; set; }

    public void Join(RoomSink sink)
    {
        lock (_gate)
        {
            sink.LastNote = _lastNote;
            _sinks.Add(sink);
        }

        sink.Signal.Set();
    }

    /// <returns>True when that was the last.</returns>
    public bool Leave(RoomSink sink)
    {
        lock (_gate)
        {
            var index = _sinks.IndexOf(sink);
            _sinks[index] = _sinks[^1];
            _sinks.RemoveAt(_sinks.Count - 1);
            return _sinks.Count == 0;
        }
    }

    /// <summary>Takes presence as it was read; what is older than what is known is no news.</summary>
    public void Show(PresenceSnapshot presence)
    {
        lock (_gate)
        {
            if (Presence is { } known && (known.Version >= presence.Version || known.Members.Equals(presence.Members, StringComparison.Ordinal)))
            {
                return;
            }

            Presence = presence;
            WakeLocked();
        }
    }

    public void Tell(RoomNote note)
    {
        lock (_gate)
        {
            _notes[_lastNote++ % MaxNotes] = note;
            WakeLocked();
        }
    }

    /// <summary>As <see cref="Tell"/>, unless too much of the kind was told in this second.</summary>
    public void TellTyping(RoomNote note)
    {
        lock (_gate)
        {
            if (_typing == 0 || time.GetElapsedTime(_typingSince) >= TimeSpan.FromSeconds(1))
            {
                _typingSince = time.GetTimestamp();
                _typing = 0;
            }

            if (++_typing > MaxTypingPerSecond)
            {
                return;
            }
        }

        Tell(note);
    }

    /// <summary>The first note after number <paramref name="last"/> that is still here and not about <paramref name="userId"/>; null when there is none.</summary>
    public SocketFrames? NextNote(ref long last, long userId)
    {
        lock (_gate)
        {
            last = Math.Max(last, _lastNote - MaxNotes);
            while (last < _lastNote)
            {
                var note = _notes[last++ % MaxNotes];
                if (note.Exempt == 0 || note.Exempt != userId)
                {
                    return note.Frames;
                }
            }

            return null;
        }
    }

    private void WakeLocked()
    {
        foreach (var sink in _sinks)
        {
            sink.Signal.Set();
        }
    }
}

/// <summary>Presence at one moment.</summary>
/// <param name="Members">Stands for who they are: two snapshots of the same people are told once.</param>
internal sealed record PresenceSnapshot(long Version, string Members, SocketFrames Frames);
