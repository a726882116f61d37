using System.Globalization;

namespace Lintel.Platform.RateLimits;

/// <summary>So many requests in a window, counted for each key, user or address by itself. Policies are told apart by identity, not by name.</summary>
internal sealed class RateLimitPolicy
{
    /// <param name="name">For people.</param>
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
    }

    public string Name { get; }

    public int Requests { get; }

    public TimeSpan Window { get; }

    internal string LimitText { get; }

    internal string WindowText { get; }
}
