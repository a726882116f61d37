using Lintel.Features.Accounts.Credentials;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>Makes a revoked session or key worthless at once, with its open connections, here and on other nodes. Its row is its feature's own.</summary>
internal sealed class Revocations(
    RevocationLog log, RevokedCredentials revoked, LiveConnections connections, TokenOptions options, TimeProvider time)
{
    // Nodes' clocks may differ a little, and what is remembered of a key is good for this long.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);

    /// <summary>How far back a revocation may lie and still matter.</summary>
    public TimeSpan Horizon => (options.AccessTokenLifetime > RevokedCredentials.LongestIssued ? options.AccessTokenLifetime : RevokedCredentials.LongestIssued) + Margin;

    /// <summary>Tells everybody of a revocation as part of the <paramref name="unit"/> that revokes; it takes effect with its commit.</summary>
    public void Add(DbSession unit, Guid credentialId)
    {
        log.Append(unit, credentialId);
        unit.AfterCommit(() => Apply(credentialId));
    }

    /// <summary>What this node does about a credential that was revoked.</summary>
    public void Apply(Guid credentialId)
    {
        // First the set, then the connections: one that opens in between looks into the set.
        revoked.Add(credentialId, time.GetUtcNow() + Horizon);
        connections.EndAll(credentialId);
    }
}

/// <summary>Where a feature keeps the credentials that it has revoked.</summary>
/// <param name="Query">Their ids; <c>$1</c> is the moment, in microseconds, after which they were.</param>
internal sealed record RevokedRows(string Query);
