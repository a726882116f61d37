namespace Lintel.Sandbox;

/// <summary>What the host decides once for all runs.</summary>
public sealed record SandboxOptions
{
    /// <summary>Where bubblewrap is; looked for in the system's folders when not set.</summary>
    public string? BubblewrapPath { get; init; }

    /// <summary>What no request may exceed.</summary>
    public SandboxLimits MaxLimits { get; init; } = SandboxLimits.Maximum;

    /// <summary>Runs at one time; further ones are refused, so that a caller's own queue decides.</summary>
    public int MaxRuns { get; init; } = 64;

    /// <summary>The first of the user ids that a server running as root gives to its guests. Nobody else may have them.</summary>
    public uint FirstUid { get; init; } = 1_900_000_000;

    /// <summary>How many such ids there are.</summary>
    public uint UidCount { get; init; } = 65_536;

    /// <summary>A delegated cgroup v2 folder to put runs into; the server's own is looked at when not set.</summary>
    public string? CgroupFolder { get; init; }
}
