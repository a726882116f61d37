using System.Text;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// What must hold before anything untrusted is run. A distribution's update, a container's profile or a sysctl can take any of
/// it away without a word, so it is tried with real guests at every start.
/// </summary>
internal static class SelfTest
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong and what to do about it, or null when all holds.</summary>
    public static async Task<string?> FindFaultAsync(SandboxLauncher launcher, CancellationToken cancellationToken)
    {
        var canary = Path.Combine(Path.GetTempPath(), $"lintel-canary-{System.Environment.ProcessId}-{System.Environment.TickCount64:x}");
        await File.WriteAllTextAsync(canary, "A sandbox must not see this.", cancellationToken);

        try
        {
            return await FindLeakAsync(launcher, canary, cancellationToken) ?? await FindLoosenessAsync(launcher, cancellationToken);
        }
        catch (SandboxException failure)
        {
            return Explain(failure.Message);
        }
        finally
        {
            File.Delete(canary);
        }
    }

    private static async Task<string?> FindLeakAsync(SandboxLauncher launcher, string canary, CancellationToken cancellationToken)
    {
        var request = new SandboxRequest
        {
            Command = ["/bin/sh", "/src/self-test.sh", canary],
            Files = [SandboxFile.FromBytes("self-test.sh", await ReadScriptAsync(cancellationToken))],
            Limits = new SandboxLimits { MemoryBytes = 64 << 20, Wall = s_patience },
        };

        var (result, output) = await RunAsync(launcher, request, cancellationToken);

        return output.TrimEnd().EndsWith("held", StringComparison.Ordinal)
            ? null
            : $"The sandbox does not hold on this machine: {Describe(result, output)}. Programs are not run.";
    }

    private static async Task<string?> FindLoosenessAsync(SandboxLauncher launcher, CancellationToken cancellationToken)
    {
        var sleeper = new SandboxRequest { Command = ["/bin/sleep", "60"], Limits = new SandboxLimits { Wall = TimeSpan.FromMilliseconds(300) } };
        var talker = new SandboxRequest { Command = ["/usr/bin/yes"], Limits = new SandboxLimits { OutputBytes = 10_000, Wall = s_patience } };
        var terminal = new SandboxRequest { Command = ["/usr/bin/tty"], Terminal = new TerminalSize(80, 24), Limits = new SandboxLimits { Wall = s_patience } };

        var runs = await Task.WhenAll(
            RunAsync(launcher, sleeper, cancellationToken), RunAsync(launcher, talker, cancellationToken), RunAsync(launcher, terminal, cancellationToken));

        if (runs[0].Result.Verdict != SandboxVerdict.TimeLimit)
        {
            return $"A program that ran over its time was not ended ({Describe(runs[0].Result, runs[0].Output)}). Programs are not run.";
        }

        if (runs[1].Result.Verdict != SandboxVerdict.OutputLimit || runs[1].Result.OutputBytes != 10_000)
        {
            return $"A program that printed too much was not ended ({Describe(runs[1].Result, "")}). Programs are not run.";
        }

        if (runs[2].Result.Verdict != SandboxVerdict.Ok)
        {
            return $"A program cannot be given a terminal ({Describe(runs[2].Result, runs[2].Output)}). Programs are not run.";
        }

        return runs[0].Result.PeakMemoryKb is null
            ? "The server cannot see the memory of its guests in /proc, so it could not keep their limit. Let it see its own processes there " +
              "(systemd: ProtectProc=default; mounts: no hidepid; kernel: CONFIG_PROC_CHILDREN). Programs are not run."
            : null;
    }

    private static async Task<(SandboxResult Result, string Output)> RunAsync(
        SandboxLauncher launcher, SandboxRequest request, CancellationToken cancellationToken)
    {
        await using var run = await launcher.StartUncheckedAsync(request, cancellationToken);
        var output = new StringBuilder();

        await foreach (var text in run.ReadTextAsync(cancellationToken))
        {
            output.Append(text.Text);
        }

        return (await run.Completion, output.ToString());
    }

    private static string Describe(SandboxResult result, string output) =>
        output.Trim().Split('\n')[^1] is { Length: > 0 } last ? last : $"{result.Verdict}, exit code {result.ExitCode}";

    /// <summary>bubblewrap's own words, and what they mean for whoever runs the server.</summary>
    private static string Explain(string message)
    {
        var advice = message switch
        {
            _ when Says("may not become uid") => "",
            _ when Says("No permissions to creat") || Says("setting up uid map") || Says("RTM_NEWADDR") || Says("ENOSPC") || Says("does not support user namespaces") =>
                "Unprivileged user namespaces are off here. Enable them: sysctl user.max_user_namespaces=15000, on older Debian " +
                "kernel.unprivileged_userns_clone=1; on Ubuntu 24.04 and later give bubblewrap an AppArmor profile that allows userns; " +
                "in a container allow them in its seccomp profile.",
            _ when Says("mount proc") || Says("/proc") =>
                "The container masks parts of /proc, which keeps a new one from being mounted: run it with an unmasked /proc (Docker: " +
                "--security-opt systempaths=unconfined; systemd: no ProtectKernelTunables or ProtectProc).",
            _ => "Let it make user, pid, network and mount namespaces (container: its seccomp profile; systemd: RestrictNamespaces, SystemCallFilter).",
        };

        return $"{message.TrimEnd('.')}. {advice} Programs are not run.";

        bool Says(string part) => message.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<byte[]> ReadScriptAsync(CancellationToken cancellationToken)
    {
        await using var script = typeof(SelfTest).Assembly.GetManifestResourceStream("self-test.sh")!;
        using var copy = new MemoryStream();
        await script.CopyToAsync(copy, cancellationToken);
        return copy.ToArray();
    }
}
