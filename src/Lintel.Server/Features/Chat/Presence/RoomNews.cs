using System.Globalization;
using System.Threading.Channels;
using Lintel.Features.Jobs.Running;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Presence;

/// <summary>
/// What is told in rooms without being kept: who types, who left, that others are there now. At most once: to this node's sockets at once, to other nodes' by hints,
/// which may be lost.
/// </summary>
internal sealed class RoomNews(LiveRooms rooms, JobLeases leases, Hints hints)
{
    private const string Topic = "chat";
    private const char PresenceKind = 'p';
    private const char LeftKind = 'l';
    private const char TypingKind = 't';

    // A room that finds no place here is found by the next look at all of them.
    private readonly Channel<long> _changed = Channel.CreateBounded<long>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Rooms of this node where people came or went.</summary>
    public ChannelReader<long> Changed => _changed.Reader;

    public void Listen() => hints.Subscribe(Topic, Receive);

    /// <summary>Has presence read again for this node.</summary>
    public void Refresh(long roomId) => Show(PresenceKind, roomId, 0, "");

    public void PresenceChanged(long roomId)
    {
        Refresh(roomId);
        Send(PresenceKind, roomId, 0, "");
    }

    public void HasLeft(long roomId, long userId, string name)
    {
        Show(LeftKind, roomId, userId, name);
        Send(LeftKind, roomId, userId, name);
    }

    public void Types(long roomId, long userId, string name)
    {
        Show(TypingKind, roomId, userId, name);
        Send(TypingKind, roomId, userId, name);
    }

    // The name last: it may hold what separates the others.
    private void Send(char kind, long roomId, long userId, string name) =>
        hints.Send(Topic, string.Create(CultureInfo.InvariantCulture, $"{leases.NodeId:N} {kind} {roomId} {userId} {name}"));

    private void Receive(string hint)
    {
        var parts = hint.Split(' ', 5);
        if (parts.Length == 5
            && Guid.TryParse(parts[0], out var node) && node != leases.NodeId
            && parts[1].Length == 1
            && long.TryParse(parts[2], CultureInfo.InvariantCulture, out var roomId)
            && long.TryParse(parts[3], CultureInfo.InvariantCulture, out var userId))
        {
            Show(parts[1][0], roomId, userId, parts[4]);
        }
    }

    private void Show(char kind, long roomId, long userId, string name)
    {
        if (rooms.Find(roomId) is not { } room)
        {
            return;
        }

        switch (kind)
        {
            case PresenceKind:
                _changed.Writer.TryWrite(roomId);
                break;
            case TypingKind:
                room.TellTyping(new(ChatEvents.Frames(ChatEvents.Typing, new RoomTyping(name, userId), ChatJson.Default.RoomTyping), userId));
                break;
            case LeftKind:
                room.Tell(new(ChatEvents.Frames(ChatEvents.Disconnect, new ChatDisconnect(ChatEvents.HasLeft(name)), ChatJson.Default.ChatDisconnect), 0));
                break;
        }
    }
}
