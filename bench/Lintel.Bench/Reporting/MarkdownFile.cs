namespace Lintel.Bench.Reporting;

/// <summary>Puts the table into a page between two marks, so that what people wrote around it stays.</summary>
internal static class MarkdownFile
{
    private const string Begin = "<!-- figures: written by the benchmarks -->";
    private const string End = "<!-- end of figures -->";

    public static void Write(string path, string table, bool partial)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var page = File.Exists(path) ? File.ReadAllText(path) : $"# Performance\n\n{Begin}\n{End}\n";
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var end = page.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            File.WriteAllText(path, table);
            return;
        }

        if (partial && File.Exists(path))
        {
            Console.Error.WriteLine($"{path} was left as it is: it records a whole run, and this was a part of one.");
            return;
        }

        File.WriteAllText(path, $"{page[..(begin + Begin.Length)]}\n\n{table}\n{page[end..]}");
    }
}
