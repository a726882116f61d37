namespace Lintel.Bench;

/// <summary>The command line asks for something that does not exist.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        Lintel.Bench [options]
          --only NAME[,NAME]   run these scenarios alone
          --list               name the scenarios and stop
          --quick              short windows and few repetitions: a look, not a measurement
          --markdown FILE      also write the table there, between its two marks if the file has them
          --server FILE        the published server    (artifacts/server/Lintel.Server)
          --baseline FILE      the published baseline  (built into artifacts/baseline when not given)
          --data FOLDER        where databases go      (artifacts/bench; put it on the disk to be measured)
          --server-log FILE    where the server's log goes (/dev/null)
        """;

    public IReadOnlySet<string> Only { get; private init; } = new HashSet<string>();

    public bool List { get; private init; }

    public bool Quick { get; private init; }

    public bool Help { get; private init; }

    /// <summary>Whether the result is less than the record of a whole run.</summary>
    public bool IsPartial => Quick || Only.Count > 0;

    public string? Markdown { get; private init; }

    public string? Server { get; private init; }

    public string? Baseline { get; private init; }

    public string? Data { get; private init; }

    public string ServerLog { get; private init; } = "/dev/null";

    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            options = arguments[i] switch
            {
                "--only" => options with { Only = Value().Split(',', StringSplitOptions.RemoveEmptyEntries).ToHashSet() },
                "--list" => options with { List = true },
                "--quick" => options with { Quick = true },
                "--help" => options with { Help = true },
                "--markdown" => options with { Markdown = Path.GetFullPath(Value()) },
                "--server" => options with { Server = Path.GetFullPath(Value()) },
                "--baseline" => options with { Baseline = Path.GetFullPath(Value()) },
                "--data" => options with { Data = Path.GetFullPath(Value()) },
                "--server-log" => options with { ServerLog = Path.GetFullPath(Value()) },
                var other => throw new UsageException($"Unknown option {other}."),
            };

            string Value() => ++i < arguments.Count
                ? arguments[i]
                : throw new UsageException($"{arguments[i - 1]} needs a value.");
        }

        return options;
    }
}
