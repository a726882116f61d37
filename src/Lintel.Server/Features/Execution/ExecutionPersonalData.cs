using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Execution;

/// <summary>Tokens with which somebody was to run a job of a person's. The runs themselves are jobs.</summary>
internal sealed class ExecutionPersonalData(Database database) : IPersonalData
{
    public IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, CancellationToken cancellationToken) => AsyncEnumerable.Empty<PersonalItem>();

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync("DELETE FROM job_token WHERE hash IN (SELECT hash FROM job_token WHERE owner_id = $1 LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
