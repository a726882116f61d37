using System.Text;
using Spectre.Console;

namespace Lintel.Cli.Terminals;

/// <summary>Tables and progress: drawn where a person looks, plain where a program reads.</summary>
internal static class Screen
{
    private static readonly bool NoColor = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    private static readonly bool IsDumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <summary>Whether standard error can show something that changes in place.</summary>
    public static bool CanAnimate => StandardStreams.ErrorIsTerminal && !IsDumb;

    /// <summary>A console on standard output.</summary>
    public static IAnsiConsole Out { get; } = Create(StandardStreams.Out, StandardStreams.OutputIsTerminal);

    /// <summary>A console on standard error, for what is not the result.</summary>
    public static IAnsiConsole Err { get; } = Create(StandardStreams.Err, StandardStreams.ErrorIsTerminal);

    /// <summary>A table for a person; for a program one line a row with tabs between.</summary>
    public static void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, params ReadOnlySpan<int> numbers)
    {
        if (!StandardStreams.OutputIsTerminal)
        {
            Plain(columns);
            foreach (var row in rows)
            {
                Plain(row);
            }

            return;
        }

        var table = new Table { Border = TableBorder.Rounded };
        for (var i = 0; i < columns.Count; i++)
        {
            table.AddColumn(new TableColumn(new Text(columns[i], new Style(decoration: Decoration.Bold))) { Alignment = numbers.Contains(i) ? Justify.Right : Justify.Left });
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(static cell => new Text(StandardStreams.Printable(cell), StyleOf(cell))));
        }

        Out.Write(table);
    }

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
