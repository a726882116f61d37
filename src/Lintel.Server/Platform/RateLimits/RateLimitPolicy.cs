using System.Globalization;
using System.Runtime.CompilerServices;

namespace Lintel.Platform.RateLimits;

/// <summary>So many requests in a window, counted for each key, user or address by itself. Policies are told apart by identity, not by name; those of one origin by their number.</summary>
internal sealed class RateLimitPolicy : IEquatable<RateLimitPolicy>
{
    private const int NetworksOfSite = 16;

    private readonly RateLimitPolicy? _origin;
    private RateLimitPolicy? _forSites;

    /// <param name="name">For people and for header fields: plain letters, digits and hyphens.</param>
    /// <param name="requests">How many a window allows.</param>
    /// <param name="window">A whole number of seconds; it begins with a partition's first request.</param>
    public RateLimitPolicy(string name, int requests, TimeSpan window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(requests, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromSeconds(1));
        Name = name;
        Requests = requests;
        Window = window;
        LimitText = requests.ToString(CultureInfo.InvariantCulture);
        WindowText = ((long)window.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        PolicyText = $"\"{name}\";q={LimitText};w={WindowText}";
    }

    /// <summary>True where requests are counted for their address even when they have credentials: an account, or fifty keys, must not give as many more tries.</summary>
    public bool CountsAddresses { get; init; }

    /// <summary>True where all keys of an owner are counted together, and with the owner: fifty keys must not give fifty times as much.</summary>
    public bool CountsOwners { get; init; }

    private RateLimitPolicy(RateLimitPolicy origin, int requests)
        : this(origin.Name, requests, origin.Window) => _origin = origin;

    public string Name { get; }

    public int Requests { get; }

    public TimeSpan Window { get; }

    internal string LimitText { get; }

    internal string WindowText { get; }

    /// <summary>The field <c>RateLimit-Policy</c>: the quota and its window in seconds.</summary>
    internal string PolicyText { get; }

    /// <summary>The field <c>RateLimit</c>: what remains, and in how many seconds there is all of it again.</summary>
    internal string StateText(in RateLimitOutcome outcome) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";r={outcome.Remaining};t={Math.Ceiling(outcome.ResetAfter.TotalSeconds)}");

    /// <summary>What all networks of an IPv6 site may have together.</summary>
    public RateLimitPolicy ForSites => _forSites ??= WithRequests((int)Math.Min(int.MaxValue, (long)Requests * NetworksOfSite));

    /// <summary>The same window for another number of requests. Made twice it is the same policy, so what was counted stays counted.</summary>
    public RateLimitPolicy WithRequests(int requests) => new(_origin ?? this, requests);

    public bool Equals(RateLimitPolicy? other) =>
        ReferenceEquals(this, other) || (other is not null && _origin is not null && ReferenceEquals(_origin, other._origin) && Requests == other.Requests);

    public override bool Equals(object? obj) => Equals(obj as RateLimitPolicy);

    public override int GetHashCode() => _origin is null ? RuntimeHelpers.GetHashCode(this) : HashCode.Combine(RuntimeHelpers.GetHashCode(_origin), Requests);
}
