using Lintel.Platform.Breakers;

namespace Lintel.Features.Webhooks.Sending;

/// <summary>
/// A breaker for each scheme, host and port of a target. They come from users, so they are few at most, and the ones that were used last; what they tell is no business of others, so they are
/// not among the server's own on <c>/health/ready</c>. They are shared by all who send there, so only what nobody can cause at another's host counts: that it cannot be reached.
/// </summary>
internal sealed class HostBreakers(BreakerSettings settings, TimeProvider time, ILogger<Breaker> logger)
{
    public const int Most = 500;

    private readonly BreakerOptions _options = settings.Apply("webhook", new()
    {
        IsFailure = static failure => failure is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
            InnerException: not TargetRefusedException,
        },
    });

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private long _uses;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    public Breaker Of(Uri url)
    {
        // With the scheme: who asks a port for TLS that speaks none must not close it to those who do not ask.
        var name = url.Scheme + "://" + url.IdnHost + ":" + url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        lock (_gate)
        {
            if (!_entries.TryGetValue(name, out var entry))
            {
                MakeRoomLocked();
                _entries.Add(name, entry = new(new Breaker("webhook " + name, _options, time, logger)));
            }

            entry.LastUse = ++_uses;
            return entry.Breaker;
        }
    }

    /// <summary>Closed ones go first, which remember next to nothing.</summary>
    private void MakeRoomLocked()
    {
        if (_entries.Count >= Most)
        {
            _entries.Remove(_entries.MinBy(static pair => (!pair.Value.Breaker.IsClosed, pair.Value.LastUse)).Key);
        }
    }

    private sealed class Entry(Breaker breaker)
    {
        public Breaker Breaker => breaker;

        public long LastUse { get; set; }
    }
}
