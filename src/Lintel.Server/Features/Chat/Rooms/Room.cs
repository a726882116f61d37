using Lintel.Features.Streams;

namespace Lintel.Features.Chat.Rooms;

/// <summary>A room as the database has it at one moment, for somebody who may be in it.</summary>
internal sealed record Room(StreamInfo Stream, string Name, long OwnerId, bool IsPrivate, DateTimeOffset CreatedAt)
{
    public long Id => Stream.Id;
}

/// <summary>What became of a change to rooms or their members.</summary>
internal enum RoomChange
{
    Done,

    /// <summary>There is no such room, or it is none that the caller may know of.</summary>
    NotFound,

    /// <summary>The caller knows of the room and does not own it.</summary>
    NotOwner,

    /// <summary>A room of that name is there.</summary>
    Taken,

    /// <summary>There are as many as there may be.</summary>
    Full,

    /// <summary>There is no such account, or it is no member.</summary>
    NoSuchUser,

    /// <summary>The room is open to all and has no members.</summary>
    Public,

    /// <summary>The owner is always a member.</summary>
    Owner,
}
