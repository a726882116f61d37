using System.Threading.RateLimiting;

namespace Lintel.Platform.RateLimits;

/// <summary>An outcome in the shape that <see cref="System.Threading.RateLimiting"/> asks for.</summary>
internal sealed class RateLimitOutcomeLease(RateLimitOutcome outcome) : RateLimitLease
{
    private static readonly string[] Names = [System.Threading.RateLimiting.MetadataName.RetryAfter.Name];

    public override bool IsAcquired => outcome.IsAllowed;

    public RateLimitOutcome Outcome => outcome;

    public override IEnumerable<string> MetadataNames => outcome.IsAllowed ? [] : Names;

    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        var has = !outcome.IsAllowed && metadataName == System.Threading.RateLimiting.MetadataName.RetryAfter.Name;
        metadata = has ? outcome.RetryAfter : null;
        return has;
    }
}
