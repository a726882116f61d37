using Lintel.Sandbox.Native;
using Lintel.Sandbox.Supervision;

namespace Lintel.Sandbox;

/// <summary>
/// Runs untrusted programs. One for a server, for as long as it lives. It has proven at its creation that the sandbox
/// holds on this machine; one that has not refuses every run with the reason, and nothing is ever run bare.
/// </summary>
public sealed class SandboxLauncher : IAsyncDisposable
{
    private static readonly string[] s_bubblewrapPlaces = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

    private readonly SandboxOptions _options;
    private readonly Supervisor? _supervisor;
    private readonly Launch? _launch;

    private SandboxLauncher(SandboxOptions options, string reason)
    {
        _options = options;
        Reason = reason;
    }

    private SandboxLauncher(SandboxOptions options, string bubblewrap, byte[] filter)
    {
        _options = options;
        _supervisor = new Supervisor();
        _launch = new Launch(
            bubblewrap, filter, new GuestIdentity(options.FirstUid, options.UidCount), new ProcessTree(),
            CgroupTree.Find(options.CgroupFolder), new OrphanGuard(), _supervisor.Wake);
    }

    /// <summary>Whether programs can be run here.</summary>
    public bool IsAvailable => Reason is null;

    /// <summary>Why programs cannot be run here, and what to install or enable; null when they can.</summary>
    public string? Reason { get; private set; }

    /// <summary>What keeps the limits, for a health page: always rlimits and the watchdog, cgroup v2 where the host delegates one.</summary>
    public IReadOnlyList<string> Enforcement =>
        _launch?.Cgroups is null ? ["rlimits", "watchdog"] : ["rlimits", "watchdog", "cgroup v2"];

    /// <summary>Looks whether this machine can hold a guest, with real ones. It does not throw when it cannot: see <see cref="Reason"/>.</summary>
    public static async Task<SandboxLauncher> CreateAsync(SandboxOptions options, CancellationToken cancellationToken = default)
    {
        SandboxLauncher? launcher = null;

        try
        {
            launcher = new SandboxLauncher(options, FindBubblewrap(options), Seccomp.Assemble());
            launcher.Reason = await SelfTest.FindFaultAsync(launcher, cancellationToken);
            return launcher;
        }
        catch (SandboxUnavailableException refusal)
        {
            return new SandboxLauncher(options, refusal.Message);
        }
        catch
        {
            if (launcher is not null)
            {
                await launcher.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Starts a program. The run is the caller's: dispose of it.</summary>
    /// <exception cref="SandboxUnavailableException">This machine failed the self-test.</exception>
    /// <exception cref="ArgumentException">The request cannot be carried out as it is.</exception>
    /// <exception cref="SandboxException">It could not be started, or too many run already.</exception>
    public Task<SandboxRun> StartAsync(SandboxRequest request, CancellationToken cancellationToken = default) =>
        Reason is null ? StartUncheckedAsync(request, cancellationToken) : throw new SandboxUnavailableException(Reason);

    public async ValueTask DisposeAsync()
    {
        if (_supervisor is not null)
        {
            await _supervisor.DisposeAsync();
            _launch!.Guard.Dispose();
        }
    }

    /// <summary>For the self-test alone, which must run something before anything may be run.</summary>
    internal async Task<SandboxRun> StartUncheckedAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        RequestRules.Check(request);
        cancellationToken.ThrowIfCancellationRequested();
        var process = new SupervisedProcess(request, request.Limits.Within(_options.MaxLimits), _launch!);
        await _supervisor!.StartAsync(process, _options.MaxRuns);
        return new SandboxRun(_supervisor, process);
    }

    private static string FindBubblewrap(SandboxOptions options)
    {
        var path = options.BubblewrapPath ?? s_bubblewrapPlaces.FirstOrDefault(File.Exists);

        if (!OperatingSystem.IsLinux())
        {
            throw new SandboxUnavailableException("Programs are run in Linux namespaces, and this is not Linux: programs cannot be run here.");
        }

        if (path is null || !File.Exists(path))
        {
            throw new SandboxUnavailableException(
                "bubblewrap is not installed, so programs cannot be run. Install it (Debian and Ubuntu: apt-get install bubblewrap) and start the server again.");
        }

        if (!File.Exists("/usr/bin/setsid"))
        {
            throw new SandboxUnavailableException(
                "/usr/bin/setsid is not installed, so programs cannot be given a terminal. Install it (Debian and Ubuntu: apt-get install util-linux) and start the server again.");
        }

        return File.GetUnixFileMode(path).HasFlag(UnixFileMode.SetUser)
            ? throw new SandboxUnavailableException(
                $"{path} is set-user-id root, which makes a large program run as root with what a guest gives it. Remove that (chmod u-s {path}) and start the server again.")
            : path;
    }
}
