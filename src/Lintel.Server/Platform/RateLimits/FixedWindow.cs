using System.Globalization;

namespace Lintel.Platform.RateLimits;

/// <summary>How one request fared: allowed or not, and what its response tells.</summary>
/// <param name="Reset">When the window ends, in unix seconds.</param>
/// <param name="ResetAfter">The same from now.</param>
internal readonly record struct RateLimitOutcome(bool IsAllowed, int Remaining, string Reset, TimeSpan ResetAfter);

/// <summary>
/// Counts the requests of one partition. The framework's own fixed window cannot tell what is left of it nor when it ends,
/// and keeps a timer; this one knows both and does nothing while nobody asks.
/// </summary>
internal sealed class FixedWindow(RateLimitPolicy policy, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _windowStart;
    private string _reset = "";
    private int _used;
    private bool _isOpen;
    private bool _isRetired;

    /// <summary>Counts <paramref name="requests"/>, or none of them where they are too many.</summary>
    /// <returns>False where this window was taken out of use; the partition has another by now.</returns>
    public bool TryTake(int requests, out RateLimitOutcome outcome)
    {
        lock (_gate)
        {
            if (_isRetired)
            {
                outcome = default;
                return false;
            }

            var elapsed = BeginWindowLocked();
            var isAllowed = _used + requests <= policy.Requests;
            if (isAllowed)
            {
                _used += requests;
            }

            outcome = new(isAllowed, policy.Requests - _used, _reset, policy.Window - elapsed);
            return true;
        }
    }

    /// <summary>Counts one request less, where its window still runs.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            if (_used > 0)
            {
                _used--;
            }
        }
    }

    /// <summary>Takes an ended window out of use; false where it is still running.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            _isRetired |= !_isOpen || time.GetElapsedTime(_windowStart) >= policy.Window;
            return _isRetired;
        }
    }

    private TimeSpan BeginWindowLocked()
    {
        if (_isOpen && time.GetElapsedTime(_windowStart) is var elapsed && elapsed < policy.Window)
        {
            return elapsed;
        }

        _windowStart = time.GetTimestamp();
        _used = 0;
        _isOpen = true;

        // Rounded up: whoever comes back at that second is in the next window.
        var end = (time.GetUtcNow() + policy.Window).ToUnixTimeMilliseconds();
        _reset = ((end + 999) / 1000).ToString(CultureInfo.InvariantCulture);
        return TimeSpan.Zero;
    }
}
