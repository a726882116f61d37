using System.Text;
using System.Text.RegularExpressions;

namespace Lintel.Sandbox.Languages;

/// <summary>A language on this machine: its version, or why it cannot be run.</summary>
/// <param name="Version">As numbers, such as 3.11.2; null when it is not installed.</param>
/// <param name="Fingerprint">All that its version command says: what a compiled program depends on.</param>
/// <param name="Reason">Why it cannot be run; null when it can.</param>
public sealed partial record Toolchain(Language Language, string? Version, string Fingerprint, string? Reason)
{
    private static readonly SandboxLimits s_limits = new() { Wall = TimeSpan.FromSeconds(20), MemoryBytes = 1L << 30, OutputBytes = 10_000 };

    public bool IsInstalled => Reason is null;

    internal IReadOnlyList<string> Mounts { get; private init; } = [];

    /// <summary>Asks for the version, inside the sandbox, where the language must work.</summary>
    internal static async Task<Toolchain> FindAsync(SandboxLauncher launcher, Language language, CancellationToken cancellationToken)
    {
        string[] mounts = [.. language.FindMounts()];
        var request = new SandboxRequest { Command = language.Version, Mounts = mounts, Environment = language.Environment, Limits = s_limits };

        try
        {
            await using var run = await launcher.StartAsync(request, cancellationToken);
            var output = new StringBuilder();

            await foreach (var text in run.ReadTextAsync(cancellationToken))
            {
                output.Append(text.Text);
            }

            var result = await run.Completion;
            var said = output.ToString().Trim();

            return result.Verdict == SandboxVerdict.Ok && VersionNumber().Match(said) is { Success: true } match
                ? new(language, match.Value, said, null) { Mounts = mounts }
                : new(language, null, "", $"{language.Name} does not work here: '{string.Join(' ', language.Version)}' gave {said.Split('\n')[0]} ({result.Verdict}).");
        }
        catch (SandboxException failure)
        {
            return new(language, null, "", $"{language.Name} is not installed: {failure.Message}");
        }
    }

    [GeneratedRegex(@"\d+(\.\d+)+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionNumber();
}
