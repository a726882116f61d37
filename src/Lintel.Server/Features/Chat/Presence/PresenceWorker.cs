using System.Globalization;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat.Presence;

/// <summary>
/// Tells this node's rooms who is there: soon after a change, many changes at once, and the more seldom the more sockets there are to tell. From time to time it looks
/// without being told, since hints may be lost and nodes may die.
/// </summary>
internal sealed partial class PresenceWorker(
    Database database, ChatSeats seats, LiveRooms rooms, RoomNews news, TimeProvider time, ILogger<PresenceWorker> logger) : BackgroundService
{
    private const int MaxListed = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        news.Listen();
        await Task.WhenAll(TellAsync(stoppingToken), LookAsync(stoppingToken));
    }

    private async Task TellAsync(CancellationToken stoppingToken)
    {
        HashSet<long> waiting = [];
        while (waiting.Count > 0 || await news.Changed.WaitToReadAsync(stoppingToken))
        {
            while (news.Changed.TryRead(out var changed))
            {
                waiting.Add(changed);
            }

            foreach (var id in waiting.ToArray())
            {
                if (rooms.Find(id) is not { } room)
                {
                    waiting.Remove(id);
                }
                else if (room.ToldAt == 0 || time.GetElapsedTime(room.ToldAt) >= TimeSpan.FromMilliseconds(Math.Max(room.Sockets, Interval.TotalMilliseconds)))
                {
                    waiting.Remove(id);
                    await TryAsync(() => TellAsync(room, stoppingToken), stoppingToken);
                }
            }

            await Task.Delay(Interval, time, stoppingToken);
        }
    }

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await TryAsync(
                async () =>
                {
                    await seats.LookAfterAsync(stoppingToken);
                    foreach (var room in rooms.All)
                    {
                        await TellAsync(room, stoppingToken);
                    }
                },
                stoppingToken);
        }
    }

    private async Task TellAsync(LiveRoom room, CancellationToken cancellationToken)
    {
        room.ToldAt = time.GetTimestamp();
        var rows = await database.ReadAsync(
            session => session.QueryAsync(
                """
                SELECT r.presence_version, s.user_id, s.name FROM room r LEFT JOIN
                    (SELECT DISTINCT room_id, user_id, name FROM chat_socket WHERE room_id = $1 AND node_id IN (SELECT id FROM node)) s ON s.room_id = r.stream_id
                WHERE r.stream_id = $1 ORDER BY s.user_id, s.name
                """,
                static row => (Version: row.GetInt64(0), UserId: row.IsDBNull(1) ? 0 : row.GetInt64(1), Name: row.GetNullableString(2)),
                room.Id),
            cancellationToken);
        if (rows.Count == 0)
        {
            return;
        }

        var present = rows.Where(static row => row.Name is not null).GroupBy(static row => row.UserId, static row => row.Name!).ToList();
        var members = present.Take(MaxListed).Select(static user => new PresentMember(user.Key, [.. user])).ToList();
        var same = string.Join('\n', rows.Select(static row => string.Create(CultureInfo.InvariantCulture, $"{row.UserId} {row.Name}")));
        room.Show(new PresenceSnapshot(
            rows[0].Version,
            same,
            ChatEvents.Frames(ChatEvents.Presence, new RoomPresence(rows[0].Version, present.Count, members), ChatJson.Default.RoomPresence)));
    }

    private async Task TryAsync(Func<Task> work, CancellationToken stoppingToken)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            // Presence is late then, and nothing else: the next look tries again.
            Log.Late(logger, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Who is in the chat could not be looked after: {Reason}")]
        public static partial void Late(ILogger logger, string reason);
    }
}
