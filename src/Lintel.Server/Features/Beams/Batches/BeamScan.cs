using System.Text.Json;
using System.Text.Unicode;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams.Batches;

/// <summary>
/// Goes once through the text of a batch: to know that it is JSON, where its beams begin, and how many there are. It can go along while the text still comes in, so that
/// the time this takes is over when the last byte is there.
/// </summary>
/// <param name="piece">How many bytes must have come for them to be looked at before the end.</param>
internal sealed class BeamScan(int piece = BeamScan.Piece)
{
    // So little takes a fraction of a millisecond at the end.
    private const int Piece = 64 * 1024;

    private readonly int _piece = piece;
    private JsonReaderState _state;
    private int _offset;
    private int _nextAt = piece;

    // Where the tokens of the beams lie: 1 in an array, 2 in an object's member.
    private int _beamDepth;
    private bool _isMemberNext;
    private bool _isInBeams;
    private bool _isFound;
    private string? _problem;

    /// <summary>How many beams there are, good or bad.</summary>
    public int Count { get; private set; }

    /// <summary>Where the array's first beam is read from.</summary>
    public (int Offset, JsonReaderState State) First { get; private set; }

    /// <summary>Scans what has come of the text since the last call.</summary>
    /// <param name="json">All of the text so far.</param>
    public void Read(ReadOnlySpan<byte> json)
    {
        if (json.Length < _nextAt)
        {
            return;
        }

        Read(json, isFinal: false);

        // A number or text that is not at its end is gone through again from its beginning: each time only when it may have doubled, or single bytes would cost megabytes.
        _nextAt = json.Length + Math.Max(_piece, json.Length - _offset);
    }

    /// <summary>Scans the rest of the text, which is now whole.</summary>
    /// <param name="json">The whole text.</param>
    /// <param name="problem">Why it is no batch: not JSON, no array of beams, empty, or more than <see cref="BeamBatch.MaxBeams"/>. Empty when it is one.</param>
    /// <returns>Whether it is a batch.</returns>
    public bool TryFinish(ReadOnlySpan<byte> json, out string problem)
    {
        Read(json, isFinal: true);
        problem = !Utf8.IsValid(json) ? "Invalid JSON: not UTF-8"
            : _problem is not null ? _problem
            : !_isFound ? "beams must be a JSON array"
            : Count == 0 ? "No beams provided: beams must be a non-empty array"
            : Count > BeamBatch.MaxBeams ? "Too many beams: at most 100000 are designed in one batch"
            : "";
        return problem.Length == 0;
    }

    private void Read(ReadOnlySpan<byte> json, bool isFinal)
    {
        if (_problem is not null)
        {
            return;
        }

        try
        {
            var reader = new Utf8JsonReader(json[_offset..], isFinal, _state);
            while (reader.Read())
            {
                Take(reader);
            }

            _offset += (int)reader.BytesConsumed;
            _state = reader.CurrentState;
        }
        catch (JsonException failure)
        {
            _problem = $"Invalid JSON at line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}";
        }
    }

    private void Take(in Utf8JsonReader reader)
    {
        var depth = reader.CurrentDepth;
        if (_isInBeams)
        {
            if (depth == _beamDepth)
            {
                // A beam that is an object or an array has its end at this depth too.
                Count += reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray ? 0 : 1;
            }
            else if (depth < _beamDepth)
            {
                _isInBeams = false;
            }
        }
        else if (depth == 0)
        {
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                Begin(reader);
            }
        }
        else if (depth == 1)
        {
            TakeMember(reader);
        }
    }

    private void TakeMember(in Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            Span<byte> buffer = stackalloc byte[JsonInput.NameLength];
            _isMemberNext = JsonInput.Name(reader, buffer).SequenceEqual("beams"u8);
        }
        else if (_isMemberNext)
        {
            // Of a name that comes twice the last one counts, as everywhere.
            _isMemberNext = _isFound = false;
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                Begin(reader);
            }
        }
    }

    private void Begin(in Utf8JsonReader reader)
    {
        (_isFound, _isInBeams, Count) = (true, true, 0);
        _beamDepth = reader.CurrentDepth + 1;
        First = (_offset + (int)reader.BytesConsumed, reader.CurrentState);
    }
}
