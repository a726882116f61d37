using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lintel.Cli.Terminals;

/// <summary>Tables and progress: drawn where a person looks, plain where a program reads.</summary>
internal static class Screen
{
    private const int Gap = 2;
    private const int Indent = 4;

    private static readonly Style Header = new(decoration: Decoration.Bold);

    private static readonly bool NoColor = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    private static readonly bool IsDumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <summary>Whether standard error can show something that changes in place.</summary>
    public static bool CanAnimate => StandardStreams.ErrorIsTerminal && !IsDumb;

    /// <summary>A console on standard output.</summary>
    public static IAnsiConsole Out { get; } = Create(StandardStreams.Out, StandardStreams.OutputIsTerminal);

    /// <summary>A console on standard error, for what is not the result.</summary>
    public static IAnsiConsole Err { get; } = Create(StandardStreams.Err, StandardStreams.ErrorIsTerminal);

    /// <summary>
    /// A table for a person; for a program one line a row with tabs between. For a person there are no columns without content, and a column that no longer fits
    /// beside the others goes below them: an id that is broken over two lines cannot be copied.
    /// </summary>
    /// <param name="columns">Their names; none for facts, each of which has its name before it.</param>
    /// <param name="rows">A cell for each column.</param>
    /// <param name="numbers">Those of the columns that are numbers.</param>
    public static void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, params ReadOnlySpan<int> numbers)
    {
        if (!StandardStreams.OutputIsTerminal)
        {
            foreach (var row in columns.Count > 0 ? rows.Prepend(columns) : rows)
            {
                Plain(row);
            }

            return;
        }

        var cells = rows.Select(static row => row.Select(StandardStreams.Printable).ToArray()).ToArray();
        var count = cells.Select(static row => row.Length).Append(columns.Count).Max();
        var used = Enumerable.Range(0, count).Where(column => cells.Length == 0 || cells.Any(row => row[column].Length > 0)).ToArray();
        var widths = Enumerable.Range(0, count)
            .Select(column => cells.Select(row => Width(row[column])).Append(columns.Count > 0 ? Width(columns[column]) : 0).Max()).ToArray();
        var lines = Lines(used, widths, Out.Profile.Width);
        if (columns.Count > 0)
        {
            Write(columns, lines, widths, numbers, isHeader: true);
        }

        foreach (var row in cells)
        {
            Write(row, lines, widths, numbers, isHeader: false);
        }
    }

    /// <summary>The columns, line by line: as many on each as fit.</summary>
    private static List<List<int>> Lines(int[] columns, int[] widths, int width)
    {
        List<List<int>> lines = [[]];
        var taken = 0;
        foreach (var column in columns)
        {
            if (lines[^1].Count > 0 && taken + Gap + widths[column] > width)
            {
                lines.Add([]);
                taken = Indent - Gap;
            }

            taken += (lines[^1].Count > 0 || lines.Count > 1 ? Gap : 0) + widths[column];
            lines[^1].Add(column);
        }

        return lines;
    }

    private static void Write(IReadOnlyList<string> row, List<List<int>> lines, int[] widths, ReadOnlySpan<int> numbers, bool isHeader)
    {
        var isFirst = true;
        foreach (var line in lines)
        {
            if (line.Any(column => row[column].Length > 0))
            {
                Write(row, line, widths, numbers, isHeader, isFirst ? 0 : Indent);
            }

            isFirst = false;
        }
    }

    private static void Write(IReadOnlyList<string> row, List<int> line, int[] widths, ReadOnlySpan<int> numbers, bool isHeader, int indent)
    {
        var text = new Paragraph();
        var gap = 0;
        foreach (var column in line)
        {
            var padding = new string(' ', widths[column] - Width(row[column]));
            text.Append(new string(' ', gap) + (numbers.Contains(column) ? padding : ""));
            text.Append(row[column], isHeader ? Header : StyleOf(row[column]));
            gap = Gap + (numbers.Contains(column) ? 0 : padding.Length);
        }

        Out.Write(new Padder(text, new Padding(indent, 0, 0, 0)));
    }

    private static int Width(string text) => text.Length == 0 ? 0 : Segment.CellCount([new Segment(text)]);

    private static Style? StyleOf(string cell) => cell switch
    {
        "PASS" or "complete" or "installed" => new Style(Color.Green),
        "FAIL" or "refused" or "failed" => new Style(Color.Red),
        "running" or "queued" or "cancelled" => new Style(Color.Yellow),
        _ => null,
    };

    private static void Plain(IReadOnlyList<string> cells) =>
        StandardStreams.Out.WriteLine(string.Join('\t', cells.Select(static cell => cell.ReplaceLineEndings(" ").Replace('\t', ' '))));

    private static IAnsiConsole Create(TextWriter writer, bool isTerminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = isTerminal && !IsDumb ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = isTerminal && !IsDumb && !NoColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
        Out = new TerminalOutput(writer, isTerminal),
    });

    private sealed class TerminalOutput(TextWriter writer, bool isTerminal) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => isTerminal ? StandardStreams.Size().Columns : int.MaxValue;

        public int Height => StandardStreams.Size().Rows;

        public void SetEncoding(Encoding encoding)
        {
        }
    }
}
