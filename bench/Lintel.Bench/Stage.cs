using System.Diagnostics;
using System.Globalization;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench;

/// <summary>What every scenario works with: fresh servers, fresh folders, and how long and how often to measure.</summary>
internal sealed class Stage : IDisposable
{
    private readonly ServerProgram server;
    private readonly ServerProgram baseline;
    private readonly string data;
    private int folders;

    private Stage(BenchOptions options, string serverFile, string baselineFile, string dataFolder)
    {
        server = new ServerProgram(serverFile, "/health", options.ServerLog, IsLintel: true);
        baseline = new ServerProgram(baselineFile, "/empty", "/dev/null", IsLintel: false);
        data = dataFolder;
        Rounds = options.Quick ? 2 : 5;
        Window = TimeSpan.FromSeconds(options.Quick ? 0.5 : 2);
        WarmUp = TimeSpan.FromSeconds(options.Quick ? 1 : 4);
        Quick = options.Quick;
    }

    public bool Quick { get; }

    public int Rounds { get; }

    public TimeSpan Window { get; }

    /// <summary>Long enough for the runtime to have recompiled the hot paths with what it learned.</summary>
    public TimeSpan WarmUp { get; }

    public static async Task<Stage> SetAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        var root = RepositoryRoot();
        var serverFile = options.Server ?? Path.Combine(root, "artifacts", "server", "Lintel.Server");
        var baselineFile = options.Baseline ?? await PublishBaselineAsync(root, cancellationToken);
        var dataFolder = Path.Combine(
            options.Data ?? Path.Combine(root, "artifacts", "bench"),
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new Stage(options, serverFile, baselineFile, dataFolder);
    }

    /// <summary>A server of its own for each scenario, so that a figure does not depend on which others ran before.</summary>
    public Task<ChildServer> StartServerAsync(CancellationToken cancellationToken) => StartServerAsync(NewFolder(), cancellationToken);

    public Task<ChildServer> StartServerAsync(string folder, CancellationToken cancellationToken) => StartServerAsync(folder, server.Settings, cancellationToken);

    public Task<ChildServer> StartServerAsync(string folder, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken) =>
        File.Exists(server.Executable)
            ? ChildServer.StartAsync(server with { Settings = settings }, folder, cancellationToken)
            : throw new FileNotFoundException($"No published server at {server.Executable}: run `make build` first.");

    public Task<ChildServer> StartBaselineAsync(CancellationToken cancellationToken) =>
        ChildServer.StartAsync(baseline, NewFolder(), cancellationToken);

    public string NewFolder() =>
        Directory.CreateDirectory(Path.Combine(data, (++folders).ToString(CultureInfo.InvariantCulture))).FullName;

    /// <summary>Measures one after the other, again and again, so that a slow moment of the machine falls on both.</summary>
    public (Sample Ours, Sample Theirs) Interleave(Func<double> ours, Func<double> theirs, CancellationToken cancellationToken)
    {
        var measured = new List<(double Ours, double Theirs)>();
        for (var round = 0; round < Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            measured.Add((ours(), theirs()));
        }

        return (new Sample(measured.Select(pair => pair.Ours)), new Sample(measured.Select(pair => pair.Theirs)));
    }

    public void Dispose()
    {
        if (Directory.Exists(data))
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lintel.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("Lintel.Bench must run from inside the repository.");
    }

    /// <summary>Published as the server is: the start of a program compiled on the spot would be no peer.</summary>
    private static async Task<string> PublishBaselineAsync(string root, CancellationToken cancellationToken)
    {
        var output = Path.Combine(root, "artifacts", "baseline");
        string[] arguments =
        [
            "publish", Path.Combine(root, "bench", "Lintel.Baseline"), "--configuration", "Release", "--verbosity", "quiet", "--nologo",
            "--use-current-runtime", "--self-contained", "false", "-p:PublishReadyToRun=true",
            "--artifacts-path", Path.Combine(root, "artifacts", "publish"), "--output", output,
        ];
        using var publish = Process.Start(new ProcessStartInfo("dotnet", arguments))!;
        await publish.WaitForExitAsync(cancellationToken);
        return publish.ExitCode == 0
            ? Path.Combine(output, "Lintel.Baseline")
            : throw new InvalidOperationException("The baseline could not be published.");
    }
}
