using System.Runtime.InteropServices;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>What a finished event stream held.</summary>
internal sealed class StreamedEvents
{
    private readonly Dictionary<string, int> counts = [];
    private readonly Dictionary<string, TimeSpan> firsts = [];

    /// <summary>Bytes of the events, without HTTP's framing.</summary>
    public int Bytes { get; private init; }

    /// <summary>Events that carried data, as a browser would dispatch them.</summary>
    public int Total => counts.Values.Sum();

    public TimeSpan LastArrival { get; private set; }

    public string LastData { get; private set; } = "";

    public int Count(string name) => counts.GetValueOrDefault(name);

    /// <summary>When the whole of the first event of this name had arrived.</summary>
    public TimeSpan First(string name) =>
        firsts.TryGetValue(name, out var at) ? at : throw new IOException($"No {name} event came. The last one said: {LastData}");

    /// <param name="body">The whole stream.</param>
    /// <param name="arrivalOf">When the byte at a position of the body arrived.</param>
    public static StreamedEvents Read(ReadOnlySpan<byte> body, Func<int, TimeSpan> arrivalOf)
    {
        var events = new StreamedEvents { Bytes = body.Length };
        var position = 0;
        while (position < body.Length)
        {
            var size = body[position..].IndexOf("\n\n"u8);
            if (size < 0)
            {
                throw new IOException("The last event of the stream is incomplete.");
            }

            events.Add(body.Slice(position, size), () => arrivalOf(position + size + 1));
            position += size + 2;
        }

        events.LastArrival = arrivalOf(position - 1);
        return events;
    }

    private void Add(ReadOnlySpan<byte> block, Func<TimeSpan> arrival)
    {
        var name = "message";
        var hasData = false;
        foreach (var range in block.Split((byte)'\n'))
        {
            var line = block[range];
            if (line.StartsWith("event: "u8))
            {
                name = Encoding.UTF8.GetString(line["event: "u8.Length..]);
            }
            else if (line.StartsWith("data: "u8))
            {
                hasData = true;
                LastData = Encoding.UTF8.GetString(line["data: "u8.Length..]);
            }
        }

        if (!hasData)
        {
            return;
        }

        CollectionsMarshal.GetValueRefOrAddDefault(counts, name, out var known)++;
        if (!known)
        {
            firsts[name] = arrival();
        }
    }
}
