using System.Globalization;

namespace Lintel.Platform.RateLimits;

/// <summary>How one request fared: allowed or not, and what its response tells.</summary>
/// <param name="Remaining">What the window still allows; where nodes share it, less what another node holds ready.</param>
/// <param name="Reset">When the window ends, in unix seconds.</param>
/// <param name="ResetAfter">The same from now.</param>
internal readonly record struct RateLimitOutcome(bool IsAllowed, int Remaining, string Reset, TimeSpan ResetAfter);

internal enum TakeStatus
{
    /// <summary>Allowed or refused, as the outcome says.</summary>
    Decided,

    /// <summary>This node has used up what it was given of the window: more must be asked for.</summary>
    NeedsGrant,

    /// <summary>This window was taken out of use; the partition has another by now.</summary>
    Retired,
}

/// <summary>
/// Counts the requests of one partition. The framework's own fixed window cannot tell what is left of it nor when it ends,
/// and keeps a timer; this one knows both and does nothing while nobody asks.
/// </summary>
/// <param name="isShared">Other nodes count too: what may be counted here is granted bit by bit.</param>
internal sealed class FixedWindow(RateLimitPolicy policy, TimeProvider time, bool isShared = false)
{
    private readonly Lock _gate = new();
    private TimeSpan _length;
    private long _windowStart;
    private string _reset = "";

    // Of the window's requests: those that may be counted here, those that were, and those that nobody has yet.
    private int _granted;
    private int _used;
    private int _elsewhere;
    private bool _isOpen;
    private bool _isExhausted;
    private bool _isRetired;
    private Task? _asking;

    /// <summary>Counts <paramref name="requests"/>, or none of them where they are too many.</summary>
    public TakeStatus TryTake(int requests, out RateLimitOutcome outcome)
    {
        lock (_gate)
        {
            outcome = default;
            if (_isRetired)
            {
                return TakeStatus.Retired;
            }

            var elapsed = BeginWindowLocked();
            var isAllowed = _used + requests <= _granted;
            if (isAllowed)
            {
                _used += requests;
            }
            else if (isShared && !_isExhausted && requests <= policy.Requests)
            {
                return TakeStatus.NeedsGrant;
            }

            outcome = new(isAllowed, _granted - _used + _elsewhere, _reset, _length - elapsed);
            return TakeStatus.Decided;
        }
    }

    /// <summary>Asks for more, once for all who need it at a time.</summary>
    public Task AskAsync(int requests, Func<int, Task<RateLimitGrant>> ask)
    {
        lock (_gate)
        {
            return _asking ??= AskOnceAsync(requests, ask);
        }
    }

    /// <summary>Whether so many more would be refused; nothing is counted.</summary>
    public bool IsUsedUp(int requests, out RateLimitOutcome refused)
    {
        lock (_gate)
        {
            var elapsed = BeginWindowLocked();
            refused = new(false, _granted - _used, _reset, _length - elapsed);
            return _used + requests > _granted;
        }
    }

    /// <summary>Counts some requests less, where their window still runs.</summary>
    public void GiveBack(int requests)
    {
        lock (_gate)
        {
            _used = Math.Max(0, _used - requests);
        }
    }

    /// <summary>Takes an ended window out of use; false where it is still running.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            _isRetired |= _asking is null && (!_isOpen || time.GetElapsedTime(_windowStart) >= _length);
            return _isRetired;
        }
    }

    private async Task AskOnceAsync(int requests, Func<int, Task<RateLimitGrant>> ask)
    {
        // Not under the lock, which the caller holds.
        await Task.Yield();
        try
        {
            var grant = await ask(requests);
            lock (_gate)
            {
                AddLocked(grant);
            }
        }
        finally
        {
            lock (_gate)
            {
                _asking = null;
            }
        }
    }

    private void AddLocked(RateLimitGrant grant)
    {
        // The others' window may have begun before this one, or this one's may have ended meanwhile.
        if (!_isOpen || grant.EndsIn > _length - time.GetElapsedTime(_windowStart) + policy.Window / 2)
        {
            (_granted, _used) = (0, 0);
        }

        _granted = Math.Min(policy.Requests, _granted + grant.Requests);
        _elsewhere = grant.Remaining;
        _isExhausted = grant.Requests == 0 || _granted == policy.Requests;
        OpenLocked(grant.EndsIn);
    }

    private TimeSpan BeginWindowLocked()
    {
        if (_isOpen && time.GetElapsedTime(_windowStart) is var elapsed && elapsed < _length)
        {
            return elapsed;
        }

        _granted = isShared ? 0 : policy.Requests;
        _used = 0;
        _elsewhere = 0;
        _isExhausted = false;
        OpenLocked(policy.Window);
        return TimeSpan.Zero;
    }

    private void OpenLocked(TimeSpan endsIn)
    {
        _isOpen = true;
        _windowStart = time.GetTimestamp();
        _length = endsIn;

        // Rounded up: whoever comes back at that second is in the next window.
        var end = (time.GetUtcNow() + endsIn).ToUnixTimeMilliseconds();
        _reset = ((end + 999) / 1000).ToString(CultureInfo.InvariantCulture);
    }
}
