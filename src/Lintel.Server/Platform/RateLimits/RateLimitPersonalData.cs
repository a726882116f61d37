using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Platform.RateLimits;

/// <summary>The windows in which a person's requests were counted.</summary>
internal sealed class RateLimitPersonalData(Database database) : IPersonalData
{
    public IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, CancellationToken cancellationToken) => AsyncEnumerable.Empty<PersonalItem>();

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync(
            "DELETE FROM rate_limit WHERE partition IN (SELECT partition FROM rate_limit WHERE partition LIKE '% user:' || CAST($1 AS TEXT) LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
