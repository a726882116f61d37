using Lintel.Infrastructure;

[assembly: AssemblyFixture(typeof(Lintel.Cli.Infrastructure.CliServer))]

namespace Lintel.Cli.Infrastructure;

/// <summary>A server as an operator runs it, for all tests; each test has a home folder and an account of its own.</summary>
public sealed class CliServer : IAsyncLifetime
{
    public const string Password = "correct horse battery";
    public const string StaticKey = "static-key-of-the-tests";

    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-cli-").FullName;
    private ServerProcess? _process;
    private Task<string>? _log;
    private int _homes;

    public Uri Address { get; private set; } = null!;

    public string DataFolder => Path.Combine(_folder, "data");

    public async ValueTask InitializeAsync()
    {
        await StartAsync(0);
    }

    /// <summary>Kills the server without a chance to tidy up, and starts it again at the same address.</summary>
    public async Task CrashAsync()
    {
        _process!.Dispose();
        await _log!;
        await StartAsync(Address.Port);
    }

    /// <summary>A user of the command line who is not signed in, at this server or behind a proxy of it.</summary>
    public CliHome NewHome(Uri? address = null)
    {
        var folder = Path.Combine(_folder, $"home-{Interlocked.Increment(ref _homes)}");
        Directory.CreateDirectory(folder);
        return new CliHome(folder, address ?? Address);
    }

    /// <summary>A user with an account of his own, signed in.</summary>
    public async Task<CliHome> SignInAsync(Uri? address = null)
    {
        var home = NewHome(address);
        var signedIn = await home.RunAsync(["login", "--register", "--email", home.Email, "--password-stdin"], Password + "\n");
        Assert.Equal((0, ""), (signedIn.ExitCode, signedIn.Output));
        return home;
    }

    private async Task StartAsync(int port)
    {
        _process = ServerProcess.Start(
            _folder,
            ("HOST", "127.0.0.1"),
            ("PORT", port.ToString()),
            ("LINTEL_DATA", DataFolder),
            ("SECRET_KEY", "0123456789abcdef0123456789abcdef-for-tests"),
            ("API_KEY", StaticKey),
            ("RATE_LIMIT_REQUESTS", "1000000"),
            ("RATE_LIMIT_SIGN_IN", "1000000"),
            ("RATE_LIMIT_REGISTER", "1000000"),

            // Their mail is a job of theirs, and tests look at all jobs.
            ("EMAIL_VERIFICATION", "off"),
            ("EXECUTE", "required"),
            ("EXECUTE_CONCURRENCY", "8"));
        Address = await _process.ListeningAsync(CancellationToken.None);
        _log = _process.Output.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process?.Dispose();
        if (_log is not null)
        {
            await _log;
        }

        Directory.Delete(_folder, recursive: true);
    }
}
