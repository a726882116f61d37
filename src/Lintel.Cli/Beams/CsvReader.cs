using System.Text;

namespace Lintel.Cli.Beams;

/// <summary>Reads a table as RFC 4180 has it, with commas, semicolons or tabs between its fields, whichever its first line has most of.</summary>
internal sealed class CsvReader
{
    private static readonly char[] Separators = [',', ';', '\t'];

    private readonly string _text;
    private readonly char _separator;
    private int _position;

    /// <param name="text">All of the table, or as much as is to be read.</param>
    /// <param name="separator">What is between its fields; null to tell it from the first line.</param>
    public CsvReader(string text, char? separator = null)
    {
        _text = text;
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        var first = end < 0 ? text : text[..end];
        _separator = separator ?? Separators.MaxBy(candidate => first.Count(c => c == candidate));
    }

    /// <summary>The line on which the record that was read last began, from 1.</summary>
    public int Line { get; private set; }

    private int NextLine { get; set; } = 1;

    /// <summary>The next record that is not an empty line; null at the end.</summary>
    /// <exception cref="FormatException">A quote is not closed, or not where one may be.</exception>
    public List<string>? Read()
    {
        while (_position < _text.Length)
        {
            Line = NextLine;
            var record = ReadRecord();
            if (record is not [""])
            {
                return record;
            }
        }

        return null;
    }

    private List<string> ReadRecord()
    {
        var fields = new List<string>();
        while (true)
        {
            fields.Add(_position < _text.Length && _text[_position] == '"' ? ReadQuoted() : ReadPlain());
            if (_position >= _text.Length)
            {
                return fields;
            }

            var next = _text[_position++];
            if (next == _separator)
            {
                continue;
            }

            if (next == '\r' && _position < _text.Length && _text[_position] == '\n')
            {
                _position++;
            }

            NextLine++;
            return fields;
        }
    }

    private string ReadPlain()
    {
        var start = _position;
        while (_position < _text.Length && _text[_position] != _separator && _text[_position] is not ('\r' or '\n'))
        {
            _position++;
        }

        return _text[start.._position].Trim();
    }

    private string ReadQuoted()
    {
        var field = new StringBuilder();
        _position++;
        while (_position < _text.Length)
        {
            var c = _text[_position++];
            if (c != '"')
            {
                NextLine += c == '\n' ? 1 : 0;
                field.Append(c);
            }
            else if (_position < _text.Length && _text[_position] == '"')
            {
                field.Append('"');
                _position++;
            }
            else if (_position >= _text.Length || _text[_position] == _separator || _text[_position] is '\r' or '\n')
            {
                return field.ToString();
            }
            else
            {
                throw new FormatException($"line {Line}: text follows a closing quote");
            }
        }

        throw new FormatException($"line {Line}: a quote is not closed");
    }
}
