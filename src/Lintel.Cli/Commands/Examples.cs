namespace Lintel.Cli.Commands;

/// <summary>What the help of a command ends with, where an example says more than its options do.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, string[]> OfCommands = new(StringComparer.Ordinal)
    {
        [""] =
        [
            "lintel login --server https://lintel.example.com",
            "lintel run main.py",
        ],
        ["login"] =
        [
            "lintel login --server https://lintel.example.com --remember-device",
            "lintel login --email mason@example.com --password-stdin < password.txt",
        ],
        ["run"] =
        [
            "lintel run main.py one two",
            "lintel run main.cpp < input > output",
            "lintel run --file helper.py --time 5 main.py",
            "lintel run --language python - < program",
        ],
        ["beams design"] =
        [
            "lintel beams design samples/building.csv",
            "lintel beams design --csv beams.json > results.csv",
        ],
        ["jobs list"] = ["lintel jobs list --status failed --limit 5"],
        ["keys create"] = ["lintel keys create nightly --scope execute --scope files --expires 2027-01-31"],
        ["sessions revoke"] = ["lintel sessions revoke --others"],
        ["activity"] =
        [
            "lintel activity --follow",
            "lintel activity --user mason@example.com --kind session.opened --json",
        ],
        ["users list"] = ["lintel users list --search mason --state disabled"],
        ["users disable"] = ["lintel users disable mason@example.com --reason \"Left the company.\""],
        ["users import"] = ["lintel users import users.csv --dry-run"],
        ["admin create"] = ["lintel admin create --email ada@example.com --data /var/lib/lintel"],
    };

    /// <summary>The commands that have examples.</summary>
    public static IEnumerable<string> Commands => OfCommands.Keys;

    /// <param name="command">The names that lead to it, with spaces between.</param>
    public static string[] Of(string command) => OfCommands.GetValueOrDefault(command, []);
}
