using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>The API keys of accounts, for what happens to an account as a whole. The feature that keeps them implements it.</summary>
internal interface IAccountKeys
{
    /// <summary>Locks an account's keys until <paramref name="unit"/> ends, so that whoever ends sessions after that waits for nobody who revokes one.</summary>
    ValueTask LockAllAsync(DbSession unit, long ownerId);

    /// <summary>Revokes an account's keys as part of <paramref name="unit"/>, here and on other nodes, and says how many there were.</summary>
    /// <param name="having">Only those with all of these scopes; every one where it is <see cref="Scopes.None"/>.</param>
    ValueTask<int> RevokeAllAsync(DbSession unit, long ownerId, Scopes having, DateTimeOffset now);
}
