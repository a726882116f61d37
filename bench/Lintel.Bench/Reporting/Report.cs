using System.Runtime.InteropServices;
using System.Text;

namespace Lintel.Bench.Reporting;

/// <summary>The rows of every scenario, as an aligned table for the terminal or as Markdown.</summary>
internal sealed class Report(bool quick)
{
    private static readonly string[] Titles = ["scenario", "figure", "measured", "peer or ceiling", "ratio", "target", "met"];

    // Of the minute before the first load: a quiet machine says less than 0.2.
    private readonly string busy = File.ReadAllText("/proc/loadavg").Split(' ')[0];
    private readonly List<string[]> lines = [];
    private readonly List<string> notes = [];

    public void Add(string scenario, Findings findings)
    {
        foreach (var row in findings.Rows)
        {
            var met = row.Met switch { true => "yes", false => "NO", null => "" };
            lines.Add([scenario, row.Figure, row.Measured, row.Beside, row.Ratio, row.Target, met]);
        }

        notes.AddRange(findings.Notes.Select(note => $"{scenario}: {note}"));
    }

    public void AddFailure(string scenario, Exception failure) =>
        lines.Add([scenario, "could not be measured", failure.Message.ReplaceLineEndings(" "), "", "", "", "NO"]);

    public string ToText()
    {
        var widths = Titles.Select((title, column) => lines.Select(line => line[column].Length).Append(title.Length).Max()).ToArray();
        var text = new StringBuilder().AppendLine(Machine()).AppendLine();
        text.AppendLine(Line(Titles));
        text.AppendLine(string.Join("  ", widths.Select(width => new string('-', width))));
        foreach (var line in lines)
        {
            text.AppendLine(Line(line));
        }

        return AppendNotes(text, "\n", "  ").ToString();

        string Line(string[] cells) => string.Join("  ", cells.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder().AppendLine(Machine()).AppendLine();
        text.AppendLine(Line(Titles));
        text.AppendLine(Line([.. Titles.Select(_ => "---")]));
        foreach (var line in lines)
        {
            text.AppendLine(Line(line));
        }

        return AppendNotes(text, "\n", "- ").ToString();

        static string Line(string[] cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |";
    }

    private StringBuilder AppendNotes(StringBuilder text, string before, string bullet)
    {
        text.Append(notes.Count == 0 ? "" : before);
        foreach (var note in notes)
        {
            text.AppendLine($"{bullet}{note}");
        }

        return text;
    }

    private string Machine()
    {
        var processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown processor";
        var quickly = quick ? " Quick run: short windows, not a measurement." : "";
        return $"{Environment.ProcessorCount} cores of {processor}; {RuntimeInformation.OSDescription}; {RuntimeInformation.FrameworkDescription}; " +
            $"client, server and peer on this one machine; load average {busy} before the run.{quickly}";
    }
}
