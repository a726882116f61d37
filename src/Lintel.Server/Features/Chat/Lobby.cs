using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Chat;

/// <summary>The lobby: one stream, of which newcomers see nothing that was before them.</summary>
internal sealed class Lobby(Database database, StreamLog log, TimeProvider time)
{
    private const string StreamName = "lobby";

    private long _id;

    /// <summary>The lobby's stream as it is now; it is made when it is first asked for.</summary>
    public async Task<StreamInfo> GetAsync()
    {
        if (_id == 0)
        {
            _id = await database.WriteAsync(session => log.GetOrCreateAsync(session, StreamName), CancellationToken.None);
        }

        return await log.GetAsync(_id, CancellationToken.None);
    }

    public Task SayAsync(string clientId, string text) =>
        log.AppendAsync(_id, [ChatEvents.Event(ChatEvents.Message, new LobbyMessage(clientId, text, time.GetUtcNow()), ChatJson.Default.LobbyMessage)]);

    /// <summary>The last events are kept for those who are a little behind, and no others.</summary>
    public async Task ForgetAsync(int kept, CancellationToken cancellationToken)
    {
        if (await log.FindAsync(StreamName, cancellationToken) is { } stream)
        {
            await log.PruneAsync(stream.Id, stream.NextSeq - kept, cancellationToken);
        }
    }
}
