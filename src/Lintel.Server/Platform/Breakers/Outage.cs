namespace Lintel.Platform.Breakers;

internal enum OutageState
{
    None,

    /// <summary>Nothing is tried.</summary>
    Lasting,

    /// <summary>Its time is over; one call may see whether it is.</summary>
    Probing,
}

/// <summary>How a probing call fared.</summary>
internal enum ProbeResult
{
    /// <summary>It was given up before anybody knew: another may try.</summary>
    Unknown,
    Works,
    Fails,
}

/// <summary>May a call go on, and is it the one that sees whether the outage is over?</summary>
internal readonly record struct OutagePlace(bool IsOpen, bool IsProbe, TimeSpan RetryAfter);

/// <summary>That a dependency is known, from elsewhere, to be out of service: for a time nothing is tried, then one call at a time.</summary>
internal sealed class Outage(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _began;
    private TimeSpan _lasts;
    private bool _isKnown;
    private bool _isProbed;

    public OutageState State
    {
        get
        {
            lock (_gate)
            {
                return !_isKnown ? OutageState.None : RemainingLocked() > TimeSpan.Zero ? OutageState.Lasting : OutageState.Probing;
            }
        }
    }

    public void Begin(TimeSpan lasts)
    {
        lock (_gate)
        {
            (_isKnown, _isProbed, _began, _lasts) = (true, false, time.GetTimestamp(), lasts);
        }
    }

    public void End()
    {
        lock (_gate)
        {
            (_isKnown, _isProbed) = (false, false);
        }
    }

    public OutagePlace Enter()
    {
        // Nearly always; a call that comes through while an outage begins is one that came a moment sooner.
        if (!Volatile.Read(ref _isKnown))
        {
            return new(true, false, default);
        }

        lock (_gate)
        {
            if (!_isKnown)
            {
                return new(true, false, default);
            }

            var remaining = RemainingLocked();
            if (remaining > TimeSpan.Zero || _isProbed)
            {
                return new(false, false, remaining > TimeSpan.Zero ? remaining : TimeSpan.FromSeconds(1));
            }

            _isProbed = true;
            return new(true, true, default);
        }
    }

    /// <summary>The probing call is over.</summary>
    /// <returns>True where the outage ended with it.</returns>
    public bool Leave(ProbeResult result)
    {
        lock (_gate)
        {
            // Ended or begun anew meanwhile: then this call tells nothing.
            if (!_isProbed)
            {
                return false;
            }

            _isProbed = false;
            _isKnown = result != ProbeResult.Works;
            return !_isKnown;
        }
    }

    private TimeSpan RemainingLocked() => _lasts - time.GetElapsedTime(_began);
}
