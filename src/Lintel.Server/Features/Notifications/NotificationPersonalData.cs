using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Notifications;

/// <summary>What a person was told.</summary>
internal sealed class NotificationPersonalData(Database database, Inboxes inboxes, StreamLog log) : IPersonalData
{
    private const int PageSize = 200;

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var inbox = await inboxes.GetAsync(accountId, cancellationToken);
        var events = PersonalRows.PagesAsync<StoredEvent>(
            last => log.ReadBackAsync(inbox.Stream.Id, last?.Seq ?? inbox.Stream.NextSeq, PageSize, cancellationToken), cancellationToken);
        await foreach (var item in events)
        {
            using var data = JsonDocument.Parse(item.Event.Data);
            var view = new NotificationView(inbox.Stream.IdOf(item.Seq), item.Event.Kind, data.RootElement, item.At, item.Seq <= inbox.ReadSeq);
            yield return new("notification", JsonSerializer.SerializeToUtf8Bytes(view, NotificationsJson.Default.NotificationView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        var stream = await database.ReadAsync(
            session => session.QueryFirstAsync("SELECT stream_id FROM inbox WHERE user_id = $1", static row => row.GetInt64(0), accountId), cancellationToken);
        if (stream != 0)
        {
            // Who follows it still is told of the end.
            await log.AppendAsync(stream, [], close: true, cancellationToken: cancellationToken);
            await log.EmptyAsync(stream, cancellationToken);
            await database.WriteAsync(
                async session =>
                {
                    await session.ExecuteAsync("DELETE FROM inbox WHERE user_id = $1", accountId);
                    await StreamLog.RemoveAsync(session, stream);
                },
                cancellationToken);
        }

        return true;
    }
}
