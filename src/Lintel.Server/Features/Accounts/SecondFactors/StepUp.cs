using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Dangerous operations want somebody who proved a moment ago who they are: a token that was stolen is not enough.</summary>
internal sealed class StepUp(Database database, TimeProvider time)
{
    /// <summary>How long a proof is fresh.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    /// <returns>The answer for a caller whose proof is too old, or who is no person; null for one who may go on.</returns>
    public async Task<ErrorResult?> RequireAsync(Caller caller, CancellationToken cancellationToken)
    {
        var since = (time.GetUtcNow() - Freshness).ToMicroseconds();
        var isFresh = await database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT 1 FROM session WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL AND authenticated_at >= $3",
                static row => row.GetInt32(0),
                caller.SessionId,
                caller.OwnerId,
                since),
            cancellationToken);
        return isFresh == 1 ? null : ApiErrors.SecondFactorNeeded("Prove once more who you are.", null);
    }
}
