using System.Globalization;
using System.Text;

namespace Lintel.Cli.Terminals;

/// <summary>JSON from the server on one line of standard output, without what a terminal would obey.</summary>
internal static class JsonLine
{
    /// <summary>Writes it in the server's own words; a control character becomes the escape that JSON has for it, or a space where it was between values.</summary>
    public static void Write(string json)
    {
        var line = new StringBuilder(json.Length + 1);
        foreach (var character in json)
        {
            if (character is '\t' or '\n' or '\r')
            {
                line.Append(' ');
            }
            else if (char.IsControl(character))
            {
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
            else
            {
                line.Append(character);
            }
        }

        StandardStreams.Output.Write(Encoding.UTF8.GetBytes(line.Append('\n').ToString()));
    }
}
