using System.Text;

namespace Lintel.Sandbox.Languages;

/// <summary>Where compiled programs are kept, and how much of them.</summary>
public sealed record CodeRunnerOptions(string CacheFolder)
{
    public long CacheBytes { get; init; } = 512L << 20;
}

/// <summary>Code in one of the languages of this machine: found, compiled when it must be, run.</summary>
public sealed class CodeRunner
{
    private readonly SandboxLauncher _launcher;
    private readonly Compiler _compiler;

    private CodeRunner(SandboxLauncher launcher, Compiler compiler, IReadOnlyList<Toolchain> toolchains)
    {
        _launcher = launcher;
        _compiler = compiler;
        Toolchains = toolchains;
    }

    /// <summary>Every language that has a manifest, with its version or why it cannot be run.</summary>
    public IReadOnlyList<Toolchain> Toolchains { get; }

    /// <summary>Asks every language for its version, which takes a second or two.</summary>
    public static async Task<CodeRunner> CreateAsync(SandboxLauncher launcher, CodeRunnerOptions options, CancellationToken cancellationToken = default)
    {
        var cache = new CompileCache(options.CacheFolder, options.CacheBytes);
        var toolchains = new Toolchain[Language.All.Count];

        await Parallel.ForAsync(0, toolchains.Length, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken },
            async (index, token) => toolchains[index] = await Toolchain.FindAsync(launcher, Language.All[index], token));

        return new CodeRunner(launcher, new Compiler(launcher, cache), toolchains);
    }

    /// <summary>Makes code ready to run, once or many times with different input.</summary>
    /// <param name="files">More files, beside the source and, as the program's own copies, in its current folder.</param>
    /// <exception cref="SandboxException">There is no such language, or it is not installed.</exception>
    /// <exception cref="ArgumentException">A file's name is the source's own.</exception>
    public async Task<PreparedProgram> PrepareAsync(
        string language, string code, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Content)> files, CancellationToken cancellationToken = default)
    {
        var known = Language.Find(language) ?? throw new SandboxException($"Unsupported language: {language}");
        var toolchain = Toolchains.First(toolchain => toolchain.Language == known);

        if (!toolchain.IsInstalled)
        {
            throw new SandboxException($"Unsupported language: {language}. {toolchain.Reason}");
        }

        SandboxFile[] sources =
        [
            SandboxFile.FromBytes(known.Source, Encoding.UTF8.GetBytes(code)),
            .. known.Support.Select(file => SandboxFile.FromBytes(file.Key, Encoding.UTF8.GetBytes(file.Value))),
            .. files.Select(file => SandboxFile.FromBytes(file.Name, file.Content)),
        ];

        if (sources.DistinctBy(file => file.Name).Count() != sources.Length)
        {
            throw new ArgumentException($"A file has the name of another, or of the source, {known.Source}.", nameof(files));
        }

        var compilation = known.Compile is null ? null : await _compiler.CompileAsync(toolchain, sources, cancellationToken);
        SandboxFile[] own = [.. files.Select(file => SandboxFile.FromBytes(file.Name, file.Content, SandboxFolder.Work))];
        return new PreparedProgram(_launcher, toolchain, [.. sources, .. own], compilation);
    }
}

/// <summary>Code that is ready to run, or that its compiler refused.</summary>
public sealed class PreparedProgram : IDisposable
{
    private readonly SandboxLauncher _launcher;
    private readonly Toolchain _toolchain;
    private readonly IReadOnlyList<SandboxFile> _files;
    internal Compilation? Compilation => _compilation;

    private readonly Compilation? _compilation;

    internal PreparedProgram(SandboxLauncher launcher, Toolchain toolchain, IReadOnlyList<SandboxFile> files, Compilation? compilation)
    {
        _launcher = launcher;
        _toolchain = toolchain;
        _compilation = compilation;
        _files = compilation?.Artifact is { } artifact ? [SandboxFile.FromArtifact(toolchain.Language.Artifact!, artifact), .. files] : files;
    }

    /// <summary>It can be started.</summary>
    public bool IsReady => _compilation is null or { Artifact: not null };

    /// <summary>What the compiler printed, errors or warnings; empty for languages without one.</summary>
    public string Diagnostics => _compilation?.Diagnostics ?? "";

    /// <summary>It was compiled before, so no compiler ran.</summary>
    public bool IsCached => _compilation is { IsCached: true };

    /// <summary>How the run ends that cannot begin: <see cref="SandboxVerdict.CompileError"/> with the compiler's own end; null when it is ready.</summary>
    public SandboxResult? Refusal => IsReady ? null : _compilation!.Result! with
    {
        Verdict = SandboxVerdict.CompileError,
        Reason = _compilation.Result.Reason is { } reason ? $"The compiler was stopped. {reason}" : null,
    };

    /// <summary>The language's own limits, for a request to tighten.</summary>
    public SandboxLimits DefaultLimits => _toolchain.Language.Limits.Over(new SandboxLimits());

    /// <summary>Starts it.</summary>
    public Task<SandboxRun> StartAsync(
        SandboxLimits limits, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, bool keepInputOpen, TerminalSize? terminal,
        CancellationToken cancellationToken = default)
    {
        if (!IsReady)
        {
            throw new InvalidOperationException("The code did not compile.");
        }

        return _launcher.StartAsync(
            new SandboxRequest
            {
                Command = [.. _toolchain.Language.Run, .. arguments],
                Files = _files,
                Mounts = _toolchain.Mounts,
                Environment = _toolchain.Language.Environment,
                Input = input,
                KeepInputOpen = keepInputOpen,
                Terminal = terminal,
                Limits = limits,
            },
            cancellationToken);
    }

    public void Dispose() => _compilation?.Artifact?.Dispose();
}
