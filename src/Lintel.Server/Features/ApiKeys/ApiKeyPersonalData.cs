using System.Text.Json;
using Lintel.Features.Accounts.Revocation;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.ApiKeys;

/// <summary>A person's keys, which nobody can tell from what is kept.</summary>
internal sealed class ApiKeyPersonalData(Database database, ApiKeyTable table) : IPersonalData
{
    private const int PageSize = 200;

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = PersonalRows.PagesAsync<ApiKey>(last => table.ListAsync(accountId, last?.Id, PageSize, cancellationToken), cancellationToken);
        await foreach (var key in keys)
        {
            yield return new("api_key", JsonSerializer.SerializeToUtf8Bytes(ApiKeyView.From(key), ApiKeysJson.Default.ApiKeyView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.WriteAsync(async session => { await EndedCredentials.KeepAsync(session, "api_key", accountId); }, cancellationToken);
        await database.DeleteAsync("DELETE FROM api_key WHERE id IN (SELECT id FROM api_key WHERE account_id = $1 AND revoked_at IS NOT NULL LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
