namespace Lintel;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>Every C# file that a person wrote, as paths relative to the root.</summary>
    public static IEnumerable<string> SourceFiles() =>
        from folder in new[] { "src", "tests", "bench" }
        let path = Path.Combine(Root, folder)
        where Directory.Exists(path)
        from file in Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Root, file).Replace('\\', '/')
        where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
        select relative;

    private static string FindRoot(string folder)
    {
        while (!File.Exists(Path.Combine(folder, "Lintel.slnx")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("The tests must run from inside the repository: they read its sources.");
        }

        return folder;
    }
}
