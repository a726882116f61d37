using System.Text;
using Xunit.Sdk;

[assembly: AssemblyFixture(typeof(Lintel.Sandbox.Infrastructure.SandboxFixture))]

// Two cores and programs that use all they get: side by side they would only measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Lintel.Sandbox.Infrastructure;

/// <summary>One launcher for all tests, and ways to run a guest to its end.</summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    /// <summary>Limits of the documented profile, with more time than any test needs on a busy machine.</summary>
    public static SandboxLimits Patient { get; } = new() { Wall = TimeSpan.FromSeconds(60), Cpu = TimeSpan.FromSeconds(60) };

    // A part of the range for each run of the tests, so that several on one machine do not take each other's guests for their own.
    private readonly SandboxOptions _options = new() { FirstUid = 1_900_000_000 + (uint)(1000 * (System.Environment.ProcessId % 1000)), UidCount = 1000 };

    public SandboxLauncher Launcher { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Launcher = await SandboxLauncher.CreateAsync(_options);
        Assert.True(Launcher.IsAvailable, Launcher.Reason);
    }

    public ValueTask DisposeAsync() => Launcher.DisposeAsync();

    /// <summary>Nothing of any guest of these tests is left.</summary>
    internal void AssertNoGuests()
    {
        var own = Native.Libc.geteuid();
        HostProcesses.AssertNoGuests(uid => own == 0 ? uid >= _options.FirstUid && uid < _options.FirstUid + _options.UidCount : uid == own);
    }

    internal Task<Guest> RunPythonAsync(string code, SandboxLimits? limits = null, TerminalSize? terminal = null) =>
        RunAsync(Python(code, limits, terminal));

    internal static SandboxRequest Python(string code, SandboxLimits? limits = null, TerminalSize? terminal = null) => new()
    {
        Command = ["python3", "-u", "/src/main.py"],
        Files = [SandboxFile.FromBytes("main.py", Encoding.UTF8.GetBytes(code))],
        Limits = limits ?? Patient,
        Terminal = terminal,
    };

    internal Task<Guest> RunShellAsync(string script, SandboxLimits? limits = null, TerminalSize? terminal = null) =>
        RunAsync(new SandboxRequest { Command = ["bash", "-c", script], Limits = limits ?? Patient, Terminal = terminal });

    /// <summary>Runs it to its end, and finds nothing of it left on the host.</summary>
    internal async Task<Guest> RunAsync(SandboxRequest request)
    {
        await using var run = await Launcher.StartAsync(request, TestContext.Current.CancellationToken);
        var guest = await Guest.FinishAsync(run);
        HostProcesses.AssertNoGuests(run.Process.Uid);
        return guest;
    }
}

/// <summary>A program that has ended, and what it printed.</summary>
internal sealed record Guest(SandboxResult Result, string Output, string Errors)
{
    public static async Task<Guest> FinishAsync(SandboxRun run)
    {
        StringBuilder output = new(), errors = new();

        await foreach (var text in run.ReadTextAsync(TestContext.Current.CancellationToken))
        {
            (text.Stream == OutputStream.Stdout ? output : errors).Append(text.Text);
        }

        return new Guest(await run.Completion, output.ToString(), errors.ToString());
    }

    public string[] Lines => Output.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');

    /// <summary>It ended by itself with 0 and printed exactly this, but for the last line's end.</summary>
    public void Printed(string expected)
    {
        if (Result.Verdict != SandboxVerdict.Ok || Output.ReplaceLineEndings("\n").TrimEnd('\n') != expected.ReplaceLineEndings("\n").TrimEnd('\n'))
        {
            throw new XunitException($"Expected:\n{expected}\nbut got {Result}\n{Output}\n{Errors}");
        }
    }
}
