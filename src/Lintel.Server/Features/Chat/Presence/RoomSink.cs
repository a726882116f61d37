using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Features.Chat.Rooms;
using Lintel.Features.Streams;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Platform.Threading;

namespace Lintel.Features.Chat.Presence;

/// <summary>Brings a room to a socket: its stream, in order; and in between who is there and who types, which may be missed.</summary>
internal sealed class RoomSink : IFollowSink
{
    private readonly SocketConnection _connection;
    private readonly LiveRoom _room;
    private readonly long _userId;
    private readonly long _enteredAt;
    private PresenceSnapshot? _shown;
    private long _lastNote;

    /// <param name="connection">The socket.</param>
    /// <param name="room">The room on this node.</param>
    /// <param name="userId">Whose socket it is.</param>
    /// <param name="enteredAt">The end of the stream when the user was seen to be allowed in: a removal after it counts.</param>
    public RoomSink(SocketConnection connection, LiveRoom room, long userId, long enteredAt)
    {
        _connection = connection;
        _room = room;
        _userId = userId;
        _enteredAt = enteredAt;
        connection.WhenEnding = Signal;
    }

    public AsyncSignal Signal { get; } = new();

    public bool IsEnding => _connection.IsEnding;

    /// <summary>The last note that this socket was shown, or that was before its time.</summary>
    public long LastNote
    {
        get => _lastNote;
        set => _lastNote = value;
    }

    public async ValueTask WriteAsync(StreamInfo stream, EventBatch batch, int index)
    {
        var end = EndFor(batch, index);
        await _connection.SendAsync(batch.ToFrames(stream), index, end);
        if (end < batch.Events.Length)
        {
            await _connection.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, RoomRefusals.Removed);
        }
    }

    public async ValueTask IdleAsync()
    {
        while (_room.NextNote(ref _lastNote, _userId) is { } note)
        {
            await _connection.SendAsync(note, 0, note.Count);
        }

        if (_room.Presence is { } presence && presence != _shown)
        {
            _shown = presence;
            await _connection.SendAsync(presence.Frames, 0, presence.Frames.Count);
        }
    }

    public async ValueTask ResetAsync(StreamInfo stream, ResetReason reason)
    {
        await _connection.SendAsync(StreamText.ResetMessage(stream, reason));
        await CompleteAsync();
    }

    public async ValueTask CompleteAsync() => await _connection.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "Done");

    public void Break() => _connection.End(EndReason.ServerError);

    /// <summary>What comes behind this user's own removal is not for this user.</summary>
    private int EndFor(EventBatch batch, int index)
    {
        if (batch.LastSeq > _enteredAt)
        {
            for (var i = index; i < batch.Events.Length; i++)
            {
                if (batch.Events[i].Kind == ChatEvents.MemberRemoved
                    && batch.FirstSeq + i > _enteredAt
                    && JsonSerializer.Deserialize(batch.Events[i].Data.Span, ChatJson.Default.RoomRemoval)!.UserId == _userId)
                {
                    return i;
                }
            }
        }

        return batch.Events.Length;
    }
}
