namespace Lintel.Platform.Telemetry;

/// <summary>
/// Takes finished log lines and writes them on a thread of its own, many at a time. A request never waits for the reader of the log:
/// when the buffer is full, lines are dropped, and a later line tells how many.
/// </summary>
internal sealed class LogSink : IDisposable
{
    private const int FirstCapacity = 64 * 1024;
    private const int MaxCapacity = 4 * 1024 * 1024;

    // Lines are gathered for a moment, so that a busy server makes few system calls; errors do not wait.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PatienceAtEnd = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly Stream _output;
    private readonly Func<long, byte[]> _describeLoss;
    private readonly Thread _thread;
    private byte[] _filling = new byte[FirstCapacity];
    private byte[] _writing = new byte[FirstCapacity];
    private int _filled;
    private long _dropped;
    private bool _isUrgent;
    private bool _isWriting;
    private bool _isStopping;

    /// <param name="output">Where the lines go; a failure to write is nobody's to hear, so it is passed over.</param>
    /// <param name="describeLoss">Makes the line that tells how many were dropped.</param>
    public LogSink(Stream output, Func<long, byte[]> describeLoss)
    {
        _output = output;
        _describeLoss = describeLoss;
        _thread = new Thread(Run) { IsBackground = true, Name = "log-writer" };
        _thread.Start();
    }

    /// <summary>Takes a whole line, with its line feed. Never blocks on the output.</summary>
    public void Write(ReadOnlySpan<byte> line, bool isUrgent)
    {
        lock (_gate)
        {
            if (!MakeRoomLocked(line.Length))
            {
                _dropped++;
                return;
            }

            line.CopyTo(_filling.AsSpan(_filled));
            var isFirst = _filled == 0;
            _filled += line.Length;
            isUrgent |= _filled > MaxCapacity / 2;
            if (isFirst || (isUrgent && !_isUrgent))
            {
                _isUrgent |= isUrgent;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Waits until what was taken so far is written, or <paramref name="patience"/> ends.</summary>
    public bool Flush(TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        lock (_gate)
        {
            while (_filled != 0 || _isWriting)
            {
                _isUrgent = true;
                Monitor.PulseAll(_gate);
                var left = deadline - Environment.TickCount64;
                if (left <= 0 || !_thread.IsAlive || !Monitor.Wait(_gate, TimeSpan.FromMilliseconds(left)))
                {
                    return _filled == 0 && !_isWriting;
                }
            }
        }

        return true;
    }

    /// <summary>Writes what is left, but does not wait forever for a reader that has stopped reading.</summary>
    public void Dispose()
    {
        var isFlushed = Flush(PatienceAtEnd);
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        if (isFlushed)
        {
            _thread.Join(PatienceAtEnd);
        }
    }

    private bool MakeRoomLocked(int length)
    {
        if (_isStopping || _filled + length > MaxCapacity)
        {
            return false;
        }

        if (_filled + length > _filling.Length)
        {
            Array.Resize(ref _filling, Math.Min(MaxCapacity, Math.Max(_filling.Length * 2, _filled + length)));
        }

        return true;
    }

    private void Run()
    {
        while (Take(out var count, out var lost))
        {
            try
            {
                _output.Write(_writing, 0, count);
                if (lost != 0)
                {
                    _output.Write(_describeLoss(lost));
                }

                _output.Flush();
            }
            catch (Exception)
            {
                // Nobody reads, or the disk is full: there is no better place to say so.
            }

            lock (_gate)
            {
                _isWriting = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private bool Take(out int count, out long lost)
    {
        lock (_gate)
        {
            while (_filled == 0 && !_isStopping)
            {
                Monitor.Wait(_gate);
            }

            if (!_isUrgent && !_isStopping)
            {
                Monitor.Wait(_gate, Gathering);
            }

            (_filling, _writing) = (_writing, _filling);
            (count, lost) = (_filled, _dropped);
            (_filled, _dropped, _isUrgent) = (0, 0, false);
            _isWriting = count != 0;
            return _isWriting;
        }
    }
}
