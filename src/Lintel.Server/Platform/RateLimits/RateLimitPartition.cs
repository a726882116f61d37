using System.Net;
using Lintel.Platform.Http;

namespace Lintel.Platform.RateLimits;

/// <summary>Whose requests are counted together: those of one key or user, else those of one address, under one policy.</summary>
/// <param name="IsSite">All networks of an IPv6 site together.</param>
internal readonly record struct RateLimitPartition(RateLimitPolicy Policy, string? Caller, UInt128 Address, bool IsSite = false)
{
    public static RateLimitPartition OfCaller(RateLimitPolicy policy, string caller) => new(policy, caller, default);

    public static RateLimitPartition OfAddress(RateLimitPolicy policy, IPAddress address) => new(policy, null, ClientNetwork.Of(address));
}
