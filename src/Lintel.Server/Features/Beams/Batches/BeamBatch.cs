using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Lintel.Features.Beams.Batches;

/// <summary>
/// The beams of a batch, taken one after the other from the text they came in. Nothing is parsed ahead and nothing is kept but the
/// text, so a batch of 100,000 costs no more memory than its body.
/// </summary>
/// <remarks>Not safe for use by two threads at once.</remarks>
internal sealed class BeamBatch
{
    public const int MaxBeams = 100_000;

    private readonly ReadOnlyMemory<byte> _json;
    private JsonReaderState _state;
    private int _offset;

    private BeamBatch(ReadOnlyMemory<byte> json, int offset, JsonReaderState state, int count)
    {
        _json = json;
        _offset = offset;
        _state = state;
        Count = count;
    }

    /// <summary>How many beams the batch has, good or bad.</summary>
    public int Count { get; }

    /// <summary>Position of the beam that comes next, from 0.</summary>
    public int Next { get; private set; }

    /// <summary>Opens a batch: a JSON array of beams, or an object that has it as <c>beams</c>.</summary>
    /// <param name="json">The body; the batch reads from it as long as it lives.</param>
    /// <param name="batch">The batch, with at least one beam.</param>
    /// <param name="problem">Why there is none: not JSON, no array, empty, or more than <see cref="MaxBeams"/>.</param>
    public static bool TryOpen(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out BeamBatch? batch, out string problem)
    {
        var scan = new BeamScan();
        batch = scan.TryFinish(json.Span, out problem) ? Open(json, scan) : null;
        return batch is not null;
    }

    /// <summary>Opens a batch that <paramref name="scan"/> has just found good.</summary>
    public static BeamBatch Open(ReadOnlyMemory<byte> json, BeamScan scan) => new(json, scan.First.Offset, scan.First.State, scan.Count);

    /// <summary>Opens a batch that was found good before, without going through all of it again where that can be helped.</summary>
    /// <param name="json">As for <see cref="TryOpen"/>.</param>
    /// <param name="count">How many beams were counted; 0 when that is not known.</param>
    /// <exception cref="InvalidDataException">It is no batch.</exception>
    public static BeamBatch Reopen(ReadOnlyMemory<byte> json, int count)
    {
        var reader = new Utf8JsonReader(json.Span);
        if (count > 0 && reader.Read() && reader.TokenType == JsonTokenType.StartArray)
        {
            return new BeamBatch(json, (int)reader.BytesConsumed, reader.CurrentState, count);
        }

        return TryOpen(json, out var batch, out var problem) ? batch : throw new InvalidDataException(problem);
    }

    /// <summary>Designs the next beam and writes the body of its event. False when there is none left.</summary>
    public bool TryWriteNext(IBufferWriter<byte> output, out BeamOutcome outcome)
    {
        if (Next == Count)
        {
            outcome = default;
            return false;
        }

        var reader = Resume();
        reader.Read();
        var beam = BeamParameters.Read(ref reader, _json.Span[_offset..]);
        outcome = BeamEvents.Write(output, beam, Next);
        Leave(reader);
        return true;
    }

    private Utf8JsonReader Resume() => new(_json.Span[_offset..], isFinalBlock: true, _state);

    private void Leave(in Utf8JsonReader reader)
    {
        _offset += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        Next++;
    }
}
