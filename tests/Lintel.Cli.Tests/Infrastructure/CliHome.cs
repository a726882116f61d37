using System.Diagnostics;

namespace Lintel.Cli.Infrastructure;

/// <summary>How a command ended and what it said.</summary>
public sealed record CliResult(int ExitCode, string Output, string Errors);

/// <summary>A user's environment: the folder that the command line keeps credentials in and is run from, and the server that it talks to.</summary>
public sealed class CliHome(string folder, Uri address)
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "lintel");

    public string Folder => folder;

    public string Email { get; } = $"user-{Guid.CreateVersion7():N}@example.com";

    public string ConfigFolder => Path.Combine(folder, "config", "lintel");

    public string CredentialFile => Path.Combine(ConfigFolder, "credentials.json");

    /// <summary>Variables for the next commands, or null to take one away.</summary>
    public Dictionary<string, string?> Environment { get; } = new(StringComparer.Ordinal)
    {
        ["XDG_CONFIG_HOME"] = Path.Combine(folder, "config"),
        ["LINTEL_SERVER"] = address.ToString(),
        ["TERM"] = "xterm",
    };

    public string Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, content);
        return name;
    }

    /// <summary>Runs a command with pipes to its end.</summary>
    public async Task<CliResult> RunAsync(string[] arguments, string input = "")
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), Cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it.
        }

        await process.WaitForExitAsync(Cancel);
        return new CliResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts a command with pipes.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Clear();
        foreach (var (name, value) in Variables())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Starts a command on a terminal.</summary>
    public PseudoTerminal StartOnTerminal(params string[] arguments) =>
        PseudoTerminal.Start([Executable, .. arguments], [.. Variables().Select(static variable => $"{variable.Name}={variable.Value}")], folder);

    /// <summary>Starts a shell's command line on a terminal.</summary>
    public PseudoTerminal StartShell(string line) =>
        PseudoTerminal.Start(["/bin/sh", "-c", line], [.. Variables().Select(static variable => $"{variable.Name}={variable.Value}")], folder);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IEnumerable<(string Name, string Value)> Variables()
    {
        foreach (var name in (string[])["PATH", "HOME", "TMPDIR", "DOTNET_ROOT"])
        {
            if (System.Environment.GetEnvironmentVariable(name) is { } value && !Environment.ContainsKey(name))
            {
                yield return (name, value);
            }
        }

        foreach (var (name, value) in Environment)
        {
            if (value is not null)
            {
                yield return (name, value);
            }
        }
    }
}
