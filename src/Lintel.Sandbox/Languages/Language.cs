using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lintel.Sandbox.Languages;

/// <summary>A language as its manifest describes it. One more is one more file in <c>Manifests/</c>; no code knows any by name.</summary>
public sealed record Language
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    private static readonly Lazy<IReadOnlyList<Language>> s_all = new(ReadManifests);

    public required string Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>The file that the code is put into.</summary>
    public required string Source { get; init; }

    /// <summary>Tells its version, and by failing, that it is not installed.</summary>
    public required IReadOnlyList<string> Version { get; init; }

    /// <summary>A shell script that leaves its result in <c>/tmp/work/artifact</c>. It is the manifest's alone: nothing is put into it.</summary>
    public string? Compile { get; init; }

    /// <summary>The name of that result when it is run, in <c>/src</c>.</summary>
    public string? Artifact { get; init; }

    public required IReadOnlyList<string> Run { get; init; }

    /// <summary>Paths of the host beside /usr that it needs; the last part may be a pattern.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Small files it needs beside the source.</summary>
    public IReadOnlyDictionary<string, string> Support { get; init; } = new Dictionary<string, string>();

    public LanguageLimits Limits { get; init; } = new();

    public LanguageLimits CompileLimits { get; init; } = new();

    /// <summary>Every language that has a manifest, installed or not.</summary>
    public static IReadOnlyList<Language> All => s_all.Value;

    /// <summary>By id or alias, in any case; null when there is none.</summary>
    public static Language? Find(string name) => All.FirstOrDefault(language =>
        language.Id.Equals(name, StringComparison.OrdinalIgnoreCase) || language.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));

    internal IEnumerable<string> FindMounts() => Mounts.SelectMany(path =>
        Directory.Exists(Path.GetDirectoryName(path)) ? Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!, Path.GetFileName(path)) : []);

    private static List<Language> ReadManifests()
    {
        var assembly = Assembly.GetExecutingAssembly();

        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith("languages/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    using var manifest = assembly.GetManifestResourceStream(name)!;
                    return JsonSerializer.Deserialize<Language>(manifest, s_json)!;
                }),
        ];
    }
}

/// <summary>Where a language needs other limits than <see cref="SandboxLimits"/> has from the start.</summary>
public sealed record LanguageLimits
{
    [JsonPropertyName("wall_seconds")]
    public double? WallSeconds { get; init; }

    [JsonPropertyName("cpu_seconds")]
    public double? CpuSeconds { get; init; }

    [JsonPropertyName("memory_mb")]
    public int? MemoryMb { get; init; }

    [JsonPropertyName("work_mb")]
    public int? WorkMb { get; init; }

    [JsonPropertyName("processes")]
    public int? Processes { get; init; }

    internal SandboxLimits Over(SandboxLimits limits) => limits with
    {
        Wall = WallSeconds is { } wall ? TimeSpan.FromSeconds(wall) : limits.Wall,
        Cpu = CpuSeconds is { } cpu ? TimeSpan.FromSeconds(cpu) : limits.Cpu,
        MemoryBytes = MemoryMb is { } memory ? (long)memory << 20 : limits.MemoryBytes,
        WorkBytes = WorkMb is { } work ? (long)work << 20 : limits.WorkBytes,
        Processes = Processes ?? limits.Processes,
    };
}
