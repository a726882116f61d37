namespace Lintel.Bench.Reporting;

/// <summary>What one scenario has to say.</summary>
internal sealed class Findings
{
    private readonly List<Row> rows = [];
    private readonly List<string> notes = [];

    public IReadOnlyList<Row> Rows => rows;

    public IReadOnlyList<string> Notes => notes;

    public Findings Add(Row row)
    {
        rows.Add(row);
        return this;
    }

    /// <summary>A sentence under the table: how a figure was come by.</summary>
    public Findings Note(string note)
    {
        notes.Add(note);
        return this;
    }
}
