namespace Lintel.Platform.Http;

/// <summary>A whole request body in memory. Dispose of it as soon as it is no longer looked at: others may be waiting for the room.</summary>
internal sealed class HeldBody : IDisposable
{
    private byte[] _buffer = [];
    private int _length;
    private IDisposable? _lease;

    /// <summary>The bytes that have come; empty once it is disposed, so that whoever still holds this does not hold them.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Sees all that has come so far whenever more has come.</summary>
    public Action<ReadOnlySpan<byte>>? Arrived { get; init; }

    public int Capacity => _buffer.Length;

    /// <summary>The capacity that is left.</summary>
    public int Room => _buffer.Length - _length;

    /// <summary>Bytes that came in another way, and are not counted.</summary>
    public static HeldBody Of(byte[] bytes) => new() { _buffer = bytes, _length = bytes.Length };

    /// <summary>The bytes as an array of their own: the buffer itself where it is full, as it is when the body's length was told.</summary>
    public byte[] ToArray() => _length == _buffer.Length ? _buffer : Bytes.ToArray();

    /// <summary>Makes room for <paramref name="capacity"/> bytes in all, within the budget.</summary>
    public async ValueTask ReserveAsync(int capacity, BodyBudget budget, long ownerId, CancellationToken cancellationToken)
    {
        // Before the memory, and beside what is held already: while it is copied there are both.
        var lease = capacity > BodyBudget.Uncounted ? await budget.TakeAsync(ownerId, capacity, cancellationToken) : null;
        var larger = GC.AllocateUninitializedArray<byte>(capacity);
        Bytes.CopyTo(larger);
        _buffer = larger;
        _lease?.Dispose();
        _lease = lease;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    public void Dispose()
    {
        (_buffer, _length) = ([], 0);
        _lease?.Dispose();
        _lease = null;
    }
}
