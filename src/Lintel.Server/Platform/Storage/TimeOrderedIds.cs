using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lintel.Platform.Storage;

/// <summary>
/// Makes ids whose order is the order in which this node made them: UUIDs of version 7 whose 12 bits after the milliseconds count, as RFC 9562 section 6.2 allows. The framework's
/// own are in no order within a millisecond, in which a person may well have sent two messages.
/// </summary>
internal sealed class TimeOrderedIds(TimeProvider time)
{
    private const int CounterBits = 12;

    // The milliseconds since 1970 and the counter, as they stand beside each other in the id.
    private long _last;

    /// <summary>An id greater than all that this node made before, even when the clock was set back.</summary>
    public Guid Next()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() << CounterBits;
        long last, next;
        do
        {
            last = Volatile.Read(ref _last);

            // A full millisecond borrows from the next one.
            next = Math.Max(now, last + 1);
        }
        while (Interlocked.CompareExchange(ref _last, next, last) != last);

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, (next >> CounterBits << 16) | 0x7000 | (next & ((1 << CounterBits) - 1)));
        RandomNumberGenerator.Fill(bytes[8..]);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new(bytes, bigEndian: true);
    }
}
