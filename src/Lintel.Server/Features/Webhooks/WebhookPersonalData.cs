using System.Text.Json;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Webhooks;

/// <summary>A person's webhooks, with what was told there and what waits to be.</summary>
internal sealed class WebhookPersonalData(Database database, WebhookTable table) : IPersonalData
{
    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var webhook in await table.ListAsync(accountId, cancellationToken))
        {
            yield return new("webhook", JsonSerializer.SerializeToUtf8Bytes(WebhookView.From(webhook), WebhooksJson.Default.WebhookView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync(
            "DELETE FROM webhook_delivery WHERE id IN (SELECT d.id FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id WHERE w.owner_id = $1 LIMIT $2)",
            accountId,
            cancellationToken);
        await database.DeleteAsync("DELETE FROM webhook WHERE id IN (SELECT id FROM webhook WHERE owner_id = $1 LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
