using System.Security.Cryptography;
using System.Text;

namespace Lintel.Sandbox.Languages;

/// <summary>What a compiler made of some code.</summary>
/// <param name="Artifact">The program; null when there is an error in the code. The receiver's to dispose of.</param>
/// <param name="Diagnostics">What the compiler printed, cut after 64 KB.</param>
/// <param name="IsCached">It was compiled before.</param>
/// <param name="Result">How the compiler ended; null when it did not have to run.</param>
internal sealed record Compilation(Artifact? Artifact, string Diagnostics, bool IsCached, SandboxResult? Result);

/// <summary>
/// Compiles in a sandbox of its own, in which the result comes over standard output: the two stages share nothing that
/// either could prepare for the other or for the host. The same code at the same time is compiled once.
/// </summary>
internal sealed class Compiler(SandboxLauncher launcher, CompileCache cache)
{
    private const int MaxDiagnostics = 64 * 1024;

    // What a compiled program may weigh; go and C# put a runtime or its libraries in.
    private static readonly SandboxLimits s_limits = new()
    {
        FileBytes = 64 << 20,
        WorkBytes = 256L << 20,
        OutputBytes = 64 << 20,
        Wall = TimeSpan.FromSeconds(20),
        Cpu = TimeSpan.FromSeconds(20),
    };

    // The script is the manifest's; its output goes where diagnostics go, and the program alone to standard output.
    private static readonly string[] s_wrapper = ["/bin/sh", "-ec", "/bin/sh -ec \"$1\" >&2; exec cat /tmp/work/artifact", "compile"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Flight> _flights = [];

    public async Task<Compilation> CompileAsync(Toolchain toolchain, IReadOnlyList<SandboxFile> files, CancellationToken cancellationToken)
    {
        var key = KeyOf(toolchain, files);

        if (await cache.TryOpenAsync(key, cancellationToken) is { } found)
        {
            return new Compilation(found.Artifact, found.Diagnostics, true, null);
        }

        var flight = Join(key, toolchain, files);

        try
        {
            var compilation = await flight.Task.WaitAsync(cancellationToken);

            // Each of those who wait gets an opening of its own; the first one's is closed with the last of them.
            return compilation with { Artifact = compilation.Artifact?.Duplicate() };
        }
        finally
        {
            await LeaveAsync(key, flight);
        }
    }

    /// <summary>A name for exactly this program: every part with its length, so that no two lists run together.</summary>
    internal static string KeyOf(Toolchain toolchain, IReadOnlyList<SandboxFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(toolchain.Language.Id);
        Add(toolchain.Language.Compile!);
        Add(toolchain.Fingerprint);

        foreach (var file in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            Add(file.Name);
            AddBytes(file.Bytes.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string part) => AddBytes(Encoding.UTF8.GetBytes(part));

        void AddBytes(ReadOnlySpan<byte> part)
        {
            hash.AppendData(BitConverter.GetBytes((long)part.Length));
            hash.AppendData(part);
        }
    }

    private Flight Join(string key, Toolchain toolchain, IReadOnlyList<SandboxFile> files)
    {
        lock (_lock)
        {
            if (!_flights.TryGetValue(key, out var flight))
            {
                flight = new Flight();
                flight.Task = Task.Run(() => CompileNowAsync(key, toolchain, files, flight.Stop.Token), CancellationToken.None);
                _flights[key] = flight;
            }

            flight.Waiting++;
            return flight;
        }
    }

    /// <summary>The last one to leave stops a compiler that still runs: nobody wants its result.</summary>
    private async Task LeaveAsync(string key, Flight flight)
    {
        lock (_lock)
        {
            if (--flight.Waiting > 0)
            {
                return;
            }

            _flights.Remove(key);
        }

        await flight.Stop.CancelAsync();
        await ((Task)flight.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        if (flight.Task.IsCompletedSuccessfully)
        {
            (await flight.Task).Artifact?.Dispose();
        }

        flight.Stop.Dispose();
    }

    private async Task<Compilation> CompileNowAsync(
        string key, Toolchain toolchain, IReadOnlyList<SandboxFile> files, CancellationToken cancellationToken)
    {
        // The flight before this one may have ended between our look into the cache and our joining.
        if (await cache.TryOpenAsync(key, cancellationToken) is { } found)
        {
            return new Compilation(found.Artifact, found.Diagnostics, true, null);
        }

        var language = toolchain.Language;
        await using var run = await launcher.StartAsync(
            new SandboxRequest
            {
                Command = [.. s_wrapper, language.Compile!],
                Files = files,
                Mounts = toolchain.Mounts,
                Environment = language.Environment,
                Limits = language.CompileLimits.Over(s_limits),
            },
            cancellationToken);

        // A private file without a name: a program may be larger than memory should hold.
        await using var program = new FileStream(
            Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.DeleteOnClose);
        using var diagnostics = new MemoryStream();

        await foreach (var chunk in run.ReadOutputAsync(cancellationToken))
        {
            if (chunk.Stream == OutputStream.Stdout)
            {
                await program.WriteAsync(chunk.Data, cancellationToken);
            }
            else if (diagnostics.Length < MaxDiagnostics)
            {
                diagnostics.Write(chunk.Data.Span[..(int)Math.Min(chunk.Data.Length, MaxDiagnostics - diagnostics.Length)]);
            }
        }

        var result = await run.Completion;
        var said = Encoding.UTF8.GetString(diagnostics.ToArray());

        if (result.Verdict != SandboxVerdict.Ok || program.Length == 0)
        {
            return new Compilation(null, said, false, result);
        }

        program.Position = 0;
        return new Compilation(await cache.StoreAsync(key, program, said, cancellationToken), said, false, result);
    }

    private sealed class Flight
    {
        public Task<Compilation> Task { get; set; } = null!;

        public CancellationTokenSource Stop { get; } = new();

        public int Waiting { get; set; }
    }
}
