using System.Collections.Concurrent;

namespace Lintel.Features.Chat.Presence;

/// <summary>The rooms that have sockets on this node.</summary>
internal sealed class LiveRooms(TimeProvider time)
{
    private readonly ConcurrentDictionary<long, LiveRoom> _rooms = new();
    private readonly Lock _gate = new();

    public ICollection<LiveRoom> All => _rooms.Values;

    public LiveRoom? Find(long id) => _rooms.GetValueOrDefault(id);

    public LiveRoom Join(long id, Func<LiveRoom, RoomSink> create, out RoomSink sink)
    {
        lock (_gate)
        {
            var room = _rooms.GetOrAdd(id, static (key, clock) => new LiveRoom(key, clock), time);
            sink = create(room);
            room.Join(sink);
            return room;
        }
    }

    public void Leave(LiveRoom room, RoomSink sink)
    {
        lock (_gate)
        {
            if (room.Leave(sink))
            {
                _rooms.TryRemove(room.Id, out _);
            }
        }
    }
}
