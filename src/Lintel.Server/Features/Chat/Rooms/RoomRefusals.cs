using System.Globalization;
using Lintel.Platform.Errors;

namespace Lintel.Features.Chat.Rooms;

/// <summary>Why somebody may not do something in a room, in the same words on sockets and in responses.</summary>
internal static class RoomRefusals
{
    public const string Removed = "Removed from the room";
    public const string NoSuchMessage = "You have no message of this id here.";
    public const string NameLost = "Name taken";
    public const string NotAllowed = "The room is gone, or you are no member of it any more.";

    private const string NameTaken = "Another user has this name now; choose another client_id.";

    public static ErrorResult NoSuchRoom { get; } = ApiErrors.NotFound("There is no room of this name, or it is private and you are no member.");

    public static ErrorResult NameHeld { get; } = ApiErrors.Conflict(NameTaken);

    public static ErrorResult TooManyJoins(TimeSpan wait) => ApiErrors.RateLimited(wait);

    public static string Muted(DateTimeOffset until) =>
        string.Create(CultureInfo.InvariantCulture, $"You are muted in this room until {until.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.");

    public static ErrorResult TooManyRooms(int most) => ApiErrors.Conflict(
        string.Create(CultureInfo.InvariantCulture, $"You own {most} rooms, which is as many as one user may; delete one that you no longer need."));
}
