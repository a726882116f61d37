using System.ComponentModel.DataAnnotations;

namespace Lintel.Features.Chat.Rooms;

/// <summary>A new room.</summary>
/// <param name="Name">1 to 64 visible characters; names that differ in case alone are one.</param>
/// <param name="IsPrivate">Whether only members may enter and know of it.</param>
/// <example>{"name":"site-12","is_private":true}</example>
public sealed record CreateRoom([property: Required, StringLength(ChatName.MaxLength, MinimumLength = 1)] string Name, bool IsPrivate = false);

/// <summary>A room.</summary>
/// <param name="Name">Names it in routes.</param>
/// <param name="IsPrivate">Whether only members may enter and know of it.</param>
/// <param name="OwnerId">Who made it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Position">The end of its history, for <c>after</c>.</param>
/// <example>{"name":"site-12","is_private":true,"owner_id":7,"created_at":"2026-01-31T12:00:00.123456Z","position":"room-019b3c4e7a107c1e9d3f2f6a5b8c9d01.1795331425000000.12"}</example>
public sealed record RoomView([property: Required] string Name, bool IsPrivate, long OwnerId, DateTimeOffset CreatedAt, [property: Required] string Position)
{
    internal static RoomView From(Room room) => new(room.Name, room.IsPrivate, room.OwnerId, room.CreatedAt, room.Stream.IdOf(room.Stream.Tail));
}

/// <summary>A page of the rooms that you may enter.</summary>
/// <param name="Rooms">By name.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record RoomList([property: Required] IReadOnlyList<RoomView> Rooms, string? Next);

/// <summary>Somebody who may enter a private room.</summary>
/// <param name="UserId">Who.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record RoomMember(long UserId, DateTimeOffset JoinedAt);

/// <summary>The members of a private room, its owner among them.</summary>
/// <param name="Members">By their ids.</param>
public sealed record RoomMembers([property: Required] IReadOnlyList<RoomMember> Members);

/// <summary>A message of a room's history.</summary>
/// <param name="Id">Names it in routes and commands, and is a position for <c>after</c>.</param>
/// <param name="Data">The message as it is now.</param>
public sealed record RoomHistoryItem([property: Required] string Id, [property: Required] RoomMessage Data);

/// <summary>A page of a room's history.</summary>
/// <param name="Messages">Newest first.</param>
/// <param name="Next">Goes into <c>before</c> for the next page, which is older; null on the last one.</param>
public sealed record RoomHistory([property: Required] IReadOnlyList<RoomHistoryItem> Messages, string? Next);

/// <summary>How long somebody may not speak.</summary>
/// <param name="Until">A time to come.</param>
/// <example>{"until":"2027-01-31T12:00:00Z"}</example>
public sealed record MuteMember([property: Required] DateTimeOffset? Until);
