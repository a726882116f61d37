using System.Text;

namespace Lintel.Sandbox;

/// <summary>A program to run. Paths are those inside the sandbox.</summary>
public sealed record SandboxRequest
{
    /// <summary>The program and its arguments; they are passed as they are, no shell reads them.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Files that the program finds, read-only in <c>/src</c> or its own in <c>/tmp/work</c>, its current folder.</summary>
    public IReadOnlyList<SandboxFile> Files { get; init; } = [];

    /// <summary>More of the host's folders or files to show read-only, each at its own path. Never from a user.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    /// <summary>Variables beside PATH, HOME, USER, LANG and TERM.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What is on its standard input from the beginning.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>More input will follow by <see cref="SandboxRun.WriteInputAsync"/>. Without it the input ends after <see cref="Input"/>.</summary>
    public bool KeepInputOpen { get; init; }

    /// <summary>Run on a terminal of this size: one joined stream, echo, Ctrl+C. Pipes when not set.</summary>
    public TerminalSize? Terminal { get; init; }

    public SandboxLimits Limits { get; init; } = new();
}

/// <summary>A terminal's size in characters.</summary>
public readonly record struct TerminalSize(ushort Columns, ushort Rows);

/// <summary>Where a file of a request appears.</summary>
public enum SandboxFolder
{
    /// <summary>Read-only, in <c>/src</c>.</summary>
    Source,

    /// <summary>The program's own to change, in <c>/tmp/work</c>.</summary>
    Work,
}

/// <summary>
/// A file for the guest. Its content is handed over by descriptor and copied into the sandbox's own memory, so that the
/// host never opens, writes or removes a path that a guest could have made: other services were taken over by a symbolic
/// link that a compile step had left where the host wrote next.
/// </summary>
public sealed record SandboxFile
{
    private const int MaxPartBytes = 255;       // NAME_MAX of every file system of Linux

    private SandboxFile(string name, SandboxFolder folder)
    {
        if (!IsValidName(name))
        {
            throw new ArgumentException(
                $"'{name}' is no name for a file: it must be a relative path of at most 200 characters, each part at most 255 bytes of UTF-8, without '..', empty parts or control characters.", nameof(name));
        }

        Name = name;
        Folder = folder;
    }

    public string Name { get; }

    public SandboxFolder Folder { get; }

    public bool IsExecutable { get; init; }

    internal ReadOnlyMemory<byte> Bytes { get; private init; }

    internal Artifact? Stored { get; private init; }

    internal long Length => Stored?.Length ?? Bytes.Length;

    /// <exception cref="ArgumentException">The name could lead out of its folder.</exception>
    public static SandboxFile FromBytes(string name, ReadOnlyMemory<byte> content, SandboxFolder folder = SandboxFolder.Source) =>
        new(name, folder) { Bytes = content };

    /// <exception cref="ArgumentException">The name could lead out of its folder.</exception>
    public static SandboxFile FromArtifact(string name, Artifact content) =>
        new(name, SandboxFolder.Source) { Stored = content, IsExecutable = true };

    /// <summary>Whether a file may have this name.</summary>
    public static bool IsValidName(string name) =>
        name.Length is > 0 and <= 200 &&
        !name.Any(char.IsControl) &&
        name.Split('/').All(part => part is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(part) <= MaxPartBytes);
}
