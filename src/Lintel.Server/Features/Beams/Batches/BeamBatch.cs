using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using Lintel.Platform.Json;

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
        batch = null;

        if (!Utf8.IsValid(json.Span))
        {
            problem = "Invalid JSON: not UTF-8";
            return false;
        }

        try
        {
            batch = Find(json, out problem);
            return batch is not null;
        }
        catch (JsonException failure)
        {
            problem = $"Invalid JSON at line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}";
            return false;
        }
    }

    /// <summary>Passes over beams, for a batch that goes on where an earlier run of it ended.</summary>
    public void Skip(int beams)
    {
        while (beams-- > 0 && Next < Count)
        {
            var reader = Resume();
            reader.Read();
            reader.Skip();
            Leave(reader);
        }
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

    /// <summary>Goes through the whole text once: to know that it is JSON, where the beams begin, and how many there are.</summary>
    private static BeamBatch? Find(ReadOnlyMemory<byte> json, out string problem)
    {
        var reader = new Utf8JsonReader(json.Span);
        reader.Read();
        BeamBatch? batch = null;

        if (reader.TokenType == JsonTokenType.StartArray)
        {
            batch = Measure(ref reader, json);
        }
        else if (reader.TokenType == JsonTokenType.StartObject)
        {
            batch = FindMember(ref reader, json);
        }

        // Throws when anything but white space follows.
        while (reader.Read())
        {
        }

        problem = batch switch
        {
            null => "beams must be a JSON array",
            { Count: 0 } => "No beams provided: beams must be a non-empty array",
            { Count: > MaxBeams } => "Too many beams: at most 100000 are designed in one batch",
            _ => "",
        };
        return problem.Length == 0 ? batch : null;
    }

    private static BeamBatch? FindMember(scoped ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        BeamBatch? batch = null;
        Span<byte> buffer = stackalloc byte[JsonInput.NameLength];

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isBeams = JsonInput.Name(reader, buffer).SequenceEqual("beams"u8);
            reader.Read();

            if (!isBeams)
            {
                reader.Skip();
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                batch = Measure(ref reader, json);
            }
            else
            {
                reader.Skip();
                batch = null;
            }
        }

        return batch;
    }

    private static BeamBatch Measure(scoped ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        var (offset, state) = ((int)reader.BytesConsumed, reader.CurrentState);
        var count = 0;

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
            count++;
        }

        return new BeamBatch(json, offset, state, count);
    }
}
