using System.Diagnostics;
using System.Text;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>Moves what a guest prints from its ends into the queue, up to the limit.</summary>
internal sealed class OutputPump(OutputQueue queue, SandboxLimits limits)
{
    private readonly StringBuilder _firstWords = new();

    public long Bytes { get; private set; }

    /// <summary>It printed more than it may; exactly what it may is in the queue.</summary>
    public bool IsOver { get; private set; }

    public long LastActivity { get; private set; }

    public string Reason => limits.OutputBytes switch
    {
        var bytes when bytes % (1 << 20) == 0 => $"It printed more than {bytes >> 20} MB.",
        var bytes when bytes % (1 << 10) == 0 => $"It printed more than {bytes >> 10} KB.",
        var bytes => $"It printed more than {bytes} bytes.",
    };

    /// <summary>What came first: when a program cannot begin, bubblewrap's reason for that.</summary>
    public string FirstWords => _firstWords.ToString().Trim();

    /// <summary>Reads a few times, so that one loud program does not keep the others waiting.</summary>
    /// <param name="toTheEnd">Also when the reader is behind: the program has ended, and what its pipe holds is little.</param>
    public void Read(GuestEnds ends, int index, bool toTheEnd)
    {
        for (var turn = 0; turn < 4 && ends.Outputs[index] is { } end && (toTheEnd || !queue.IsFull); turn++)
        {
            var buffer = queue.Rent();
            var count = end.Read(buffer.AsSpan(0, OutputQueue.BufferSize));

            if (count > 0)
            {
                Deliver(index == 0 ? OutputStream.Stdout : OutputStream.Stderr, ends.IsTerminal, buffer, count);
                continue;
            }

            queue.Return(buffer);

            // EIO is how a terminal says that nobody has it open any more.
            if (count != -Libc.EAGAIN)
            {
                ends.EndOutput(index);
            }

            return;
        }
    }

    private void Deliver(OutputStream stream, bool isTerminal, byte[] buffer, int count)
    {
        LastActivity = Stopwatch.GetTimestamp();

        if ((isTerminal || stream == OutputStream.Stderr) && _firstWords.Length < 1000)
        {
            _firstWords.Append(Encoding.UTF8.GetString(buffer.AsSpan(0, Math.Min(count, 1000))));
        }

        var within = (int)Math.Min(count, limits.OutputBytes - Bytes);
        Bytes += within;
        IsOver |= within < count;

        if (within > 0)
        {
            queue.Add(stream, buffer, within);
        }
        else
        {
            queue.Return(buffer);
        }
    }
}
