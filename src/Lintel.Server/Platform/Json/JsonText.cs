using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lintel.Platform.Json;

/// <summary>
/// Writes JSON text straight into a buffer. Labels are ready UTF-8 that carries its own punctuation, such as <c>,"xu":</c>, so a result
/// costs little more than copying it; it is on the caller to make the pieces JSON.
/// </summary>
internal ref struct JsonText(IBufferWriter<byte> output)
{
    private const int Chunk = 2048;

    private Span<byte> _space;
    private int _used;

    /// <summary>Writes a piece of JSON as it is.</summary>
    public void Raw(ReadOnlySpan<byte> json) => json.CopyTo(Take(json.Length));

    public void Number(ReadOnlySpan<byte> label, double value)
    {
        Reserve(label.Length + JsonNumber.MaxLength);
        label.CopyTo(_space[_used..]);
        _used += label.Length;
        _used += JsonNumber.Write(value, _space[_used..]);
    }

    public void Integer(ReadOnlySpan<byte> label, long value)
    {
        Raw(label);
        Reserve(JsonNumber.MaxLength);
        Utf8Formatter.TryFormat(value, _space[_used..], out var length);
        _used += length;
    }

    public void Flag(ReadOnlySpan<byte> label, bool value)
    {
        Raw(label);
        Raw(value ? "true"u8 : "false"u8);
    }

    /// <summary>Writes text as a JSON string, escaped where it must be.</summary>
    public void Text(ReadOnlySpan<byte> label, string value)
    {
        Raw(label);
        Raw("\""u8);
        Raw(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        Raw("\""u8);
    }

    /// <summary>
    /// Writes an identifier as a JSON string: <paramref name="token"/> as the client sent it (a number gets quotes), or
    /// <paramref name="fallback"/> and the position counted from 1 when there is none.
    /// </summary>
    public void Identifier(ReadOnlySpan<byte> label, ReadOnlySpan<byte> token, ReadOnlySpan<byte> fallback, int index)
    {
        Raw(label);

        if (token.IsEmpty)
        {
            Raw("\""u8);
            Integer(fallback, index + 1);
            Raw("\""u8);
        }
        else if (token[0] == (byte)'"')
        {
            Raw(token);
        }
        else
        {
            Raw("\""u8);
            Raw(token);
            Raw("\""u8);
        }
    }

    /// <summary>
    /// Writes JSON that a client sent, as it is unless it has line breaks: then without any white space, since an event is one line.
    /// </summary>
    public void Echo(ReadOnlySpan<byte> label, ReadOnlySpan<byte> json)
    {
        Raw(label);

        // A JSON string cannot hold a bare line break, so every one found is between tokens.
        if (json.IndexOfAny((byte)'\r', (byte)'\n') < 0)
        {
            Raw(json);
        }
        else
        {
            Minified(json);
        }
    }

    /// <summary>Hands what was written to the buffer.</summary>
    public void Complete()
    {
        output.Advance(_used);
        _space = default;
        _used = 0;
    }

    private void Minified(ReadOnlySpan<byte> json)
    {
        var space = Take(json.Length);
        var written = 0;
        var inString = false;

        for (var i = 0; i < json.Length; i++)
        {
            var one = json[i];

            if (one == (byte)'"')
            {
                inString = !inString;
            }
            else if (one == (byte)'\\')
            {
                space[written++] = one;
                one = json[++i];
            }
            else if (!inString && one is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                continue;
            }

            space[written++] = one;
        }

        _used -= json.Length - written;
    }

    private Span<byte> Take(int length)
    {
        Reserve(length);
        var space = _space.Slice(_used, length);
        _used += length;
        return space;
    }

    private void Reserve(int length)
    {
        if (_space.Length - _used >= length)
        {
            return;
        }

        output.Advance(_used);
        _space = output.GetSpan(Math.Max(length, Chunk));
        _used = 0;
    }
}
