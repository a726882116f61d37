using Lintel.Platform.Configuration;

namespace Lintel.Features.Chat;

internal sealed record ChatOptions
{
    /// <summary>The largest message, in bytes of UTF-8.</summary>
    public int MessageBytes { get; init; } = 8192;

    /// <summary>Messages, changes and removals of one user in a minute.</summary>
    public int MessagesPerMinute { get; init; } = 300;

    /// <summary>Sockets of one user that enter the lobby or a room in a minute: the others are told of each.</summary>
    public int JoinsPerMinute { get; init; } = 120;

    /// <summary>Events of a room's history that are kept.</summary>
    public int HistoryMessages { get; init; } = 10_000;

    /// <summary>How long they are kept.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromDays(365);

    /// <summary>Rooms that one user may own.</summary>
    public int RoomsPerOwner { get; init; } = 100;

    /// <summary>Members that a private room may have.</summary>
    public int MembersPerRoom { get; init; } = 1000;

    public static ChatOptions Read(SettingsReader settings) => new()
    {
        MessageBytes = settings.Number("CHAT_MESSAGE_BYTES", 8192, 1, 32_768),
        MessagesPerMinute = settings.Number("CHAT_MESSAGES_PER_MINUTE", 300, 1, 1_000_000_000),
        JoinsPerMinute = settings.Number("CHAT_JOINS_PER_MINUTE", 120, 1, 1_000_000_000),
        HistoryMessages = settings.Number("CHAT_HISTORY_MESSAGES", 10_000, 10, 10_000_000),
        HistoryAge = TimeSpan.FromDays(settings.Number("CHAT_HISTORY_DAYS", 365, 1, 36_500)),
        RoomsPerOwner = settings.Number("CHAT_ROOMS_PER_OWNER", 100, 1, 1_000_000),
        MembersPerRoom = settings.Number("CHAT_MEMBERS_PER_ROOM", 1000, 1, 1_000_000),
    };
}
