using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Chat.Rooms;
using Lintel.Platform.Http;

namespace Lintel.Features.Chat;

/// <summary>The socket is open.</summary>
/// <param name="Message"><c>Connected as</c> and the display name.</param>
/// <param name="UserId">Your account, by which others tell your messages; in a room.</param>
/// <param name="Position">The end of the room's history as you came; in a room. What follows is the history up to there, and then what is new.</param>
/// <example>{"message":"Connected as mason"}</example>
public sealed record ChatConnection(
    [property: Required] string Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? UserId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Position = null);

/// <summary>Somebody's socket is gone.</summary>
/// <param name="Message">The display name and <c>left</c>.</param>
/// <example>{"message":"mason left"}</example>
public sealed record ChatDisconnect([property: Required] string Message);

/// <summary>A message in the lobby.</summary>
/// <param name="ClientId">The display name of whoever sent it.</param>
/// <param name="Message">What they sent, as it was: text, which a page must show as text.</param>
/// <param name="At">When.</param>
/// <example>{"client_id":"mason","message":"Good morning","at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record LobbyMessage([property: Required] string ClientId, [property: Required] string Message, DateTimeOffset At);

/// <summary>A message in a room, as it is now: history shows changes and removals.</summary>
/// <param name="ClientId">The display name of whoever sent it.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="Message">What they sent, as it was: text, which a page must show as text. Empty where it was removed.</param>
/// <param name="At">When.</param>
/// <param name="EditedAt">When it was last changed.</param>
/// <param name="EditId">The event that changed it last.</param>
/// <param name="DeletedAt">When it was removed.</param>
/// <param name="DeletedBy">By whom it was removed.</param>
/// <example>{"client_id":"mason","user_id":7,"message":"Good morning","at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record RoomMessage(
    [property: Required] string ClientId,
    long UserId,
    [property: Required] string Message,
    DateTimeOffset At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? EditedAt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EditId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? DeletedAt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), AllowedValues(RoomDeletion.Author, RoomDeletion.Moderator, null)] string? DeletedBy = null);

/// <summary>A message was changed by its author.</summary>
/// <param name="MessageId">The message.</param>
/// <param name="Message">The new text; missing where the message was changed again or removed since, of which another event tells.</param>
/// <param name="At">When.</param>
/// <example>{"message_id":"room-019b3c4e7a107c1e9d3f2f6a5b8c9d01.1795331425000000.12","message":"Good evening","at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record RoomEdit(
    [property: Required] string MessageId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message,
    DateTimeOffset At);

/// <summary>A message was removed.</summary>
/// <param name="MessageId">The message.</param>
/// <param name="By">By whom.</param>
/// <param name="At">When.</param>
/// <example>{"message_id":"room-019b3c4e7a107c1e9d3f2f6a5b8c9d01.1795331425000000.12","by":"moderator","at":"2026-01-31T12:00:00.123456Z"}</example>
public sealed record RoomDeletion([property: Required] string MessageId, [property: Required, AllowedValues(RoomDeletion.Author, RoomDeletion.Moderator)] string By, DateTimeOffset At)
{
    internal const string Author = "author";
    internal const string Moderator = "moderator";
}

/// <summary>Somebody is no member any more; the member's own sockets close.</summary>
/// <param name="UserId">Who.</param>
/// <param name="At">When.</param>
public sealed record RoomRemoval(long UserId, DateTimeOffset At);

/// <summary>A moderator has muted somebody, or lets them speak again.</summary>
/// <param name="UserId">Who.</param>
/// <param name="Until">How long they may not speak; null where they may again.</param>
/// <param name="At">When.</param>
public sealed record RoomMuted(long UserId, DateTimeOffset? Until, DateTimeOffset At);

/// <summary>Who has the room open, whenever that changes. Of two, the one with the greater version is the newer.</summary>
/// <param name="Version">Counts what came and went.</param>
/// <param name="Total">How many people.</param>
/// <param name="Members">Each of them, however many sockets they have; at most 500.</param>
/// <example>{"version":3,"total":1,"members":[{"user_id":7,"client_ids":["mason"]}]}</example>
public sealed record RoomPresence(long Version, int Total, [property: Required] IReadOnlyList<PresentMember> Members);

/// <summary>Somebody who has the room open.</summary>
/// <param name="UserId">Who.</param>
/// <param name="ClientIds">The display names of their sockets.</param>
public sealed record PresentMember(long UserId, [property: Required] IReadOnlyList<string> ClientIds);

/// <summary>Somebody else is typing. Nothing tells of the end: it is over after some seconds.</summary>
/// <param name="ClientId">The display name.</param>
/// <param name="UserId">Who.</param>
/// <example>{"client_id":"mason","user_id":7}</example>
public sealed record RoomTyping([property: Required] string ClientId, long UserId);

/// <summary>Says something to the room. Text that is no JSON object with a <c>type</c> does the same.</summary>
/// <param name="Message">What to say.</param>
/// <example>{"message":"Good morning"}</example>
public sealed record SayCommand([property: Required] string Message);

/// <summary>Changes a message of yours.</summary>
/// <param name="MessageId">Its <c>id</c>.</param>
/// <param name="Message">The new text.</param>
public sealed record EditCommand([property: Required] string MessageId, [property: Required] string Message);

/// <summary>Removes a message of yours; with the scope <c>admin</c>, anybody's.</summary>
/// <param name="MessageId">Its <c>id</c>.</param>
public sealed record DeleteCommand([property: Required] string MessageId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ChatConnection))]
[JsonSerializable(typeof(ChatDisconnect))]
[JsonSerializable(typeof(LobbyMessage))]
[JsonSerializable(typeof(RoomMessage))]
[JsonSerializable(typeof(RoomEdit))]
[JsonSerializable(typeof(RoomDeletion))]
[JsonSerializable(typeof(RoomRemoval))]
[JsonSerializable(typeof(RoomMuted))]
[JsonSerializable(typeof(RoomPresence))]
[JsonSerializable(typeof(RoomTyping))]
[JsonSerializable(typeof(SayCommand))]
[JsonSerializable(typeof(EditCommand))]
[JsonSerializable(typeof(DeleteCommand))]
[JsonSerializable(typeof(CreateRoom))]
[JsonSerializable(typeof(RoomView))]
[JsonSerializable(typeof(RoomList))]
[JsonSerializable(typeof(RoomMembers))]
[JsonSerializable(typeof(RoomHistory))]
[JsonSerializable(typeof(MuteMember))]
internal sealed partial class ChatJson : JsonSerializerContext;
