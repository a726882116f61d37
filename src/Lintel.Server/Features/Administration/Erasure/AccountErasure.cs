using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration.Erasure;

/// <summary>
/// Removes what is left of accounts that were deleted, feature by feature, and then the account itself. Where it is interrupted it begins again: each step finds less to do, and the
/// account's row, which says that there is something to do, goes last.
/// </summary>
internal sealed partial class AccountErasure(
    Database database, IEnumerable<IPersonalData> features, AccountAudit audit, TimeProvider time, ILogger<AccountErasure> logger) : RetentionWorker(database, time, logger, "Deleted accounts")
{
    private const long BatchSize = 100;

    // Those who use others come after them, and here before: what they still bring about there is found.
    private readonly IPersonalData[] _features = [.. features.Reverse()];

    /// <summary>There is an account to remove.</summary>
    public void Hurry() => BeginSoon();

    public override async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var accounts = await Database.ReadAsync(
            static session => session.QueryAsync("SELECT id FROM account WHERE deleted_at IS NOT NULL ORDER BY deleted_at, id LIMIT $1", static row => row.GetInt64(0), BatchSize),
            cancellationToken);
        foreach (var id in accounts)
        {
            try
            {
                await EraseAsync(id, cancellationToken);
            }
            catch (Exception failure) when (failure is not StorageUnavailableException && !cancellationToken.IsCancellationRequested)
            {
                // One account that cannot be removed must not keep the others.
                Log.Failed(logger, failure, id);
            }
        }
    }

    private async Task EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        foreach (var feature in _features)
        {
            // A crash here, or after any of them: all are asked again.
            if (!await feature.EraseAsync(accountId, cancellationToken))
            {
                Log.Waits(logger, accountId, feature.GetType().Name);
                return;
            }
        }

        // Of two nodes at it one writes the last entry.
        await Database.WriteAsync(
            async session =>
            {
                if (await session.ExecuteAsync("DELETE FROM account WHERE id = $1 AND deleted_at IS NOT NULL", accountId) == 1)
                {
                    await audit.AddLastAsync(session, accountId);
                }
            },
            cancellationToken);
        Log.Erased(logger, accountId);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Account {UserId} was removed with all its data.")]
        public static partial void Erased(ILogger logger, long userId);

        [LoggerMessage(2, LogLevel.Information, "Account {UserId} is not removed yet: something still holds on to it ({Feature}).")]
        public static partial void Waits(ILogger logger, long userId, string feature);

        [LoggerMessage(3, LogLevel.Error, "Account {UserId} could not be removed and is tried again.")]
        public static partial void Failed(ILogger logger, Exception failure, long userId);
    }
}
