using System.Diagnostics;
using System.Text.Json;

namespace Lintel.Infrastructure;

/// <summary>
/// A Node.js program of <c>tests/node</c> in a process of its own: a client or a server of others, from npm. It speaks in lines, each a JSON object on standard output,
/// and ends with the test.
/// </summary>
internal sealed class NodeProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _errors;
    private bool _isOver;

    private NodeProgram(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="script">The file's name, such as <c>tus-upload.mjs</c>.</param>
    /// <param name="arguments">What it finds in <c>process.argv</c> from the third place on.</param>
    public static NodeProgram Start(string script, params IEnumerable<string> arguments)
    {
        var folder = Path.Combine(Repository.Root, "tests", "node");
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            throw new InvalidOperationException("The npm packages of the tests are not installed: run the tests with make test, which does it.");
        }

        return new(Process.Start(new ProcessStartInfo("node", [script, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!);
    }

    /// <summary>The next line that the program says.</summary>
    /// <exception cref="InvalidOperationException">It ended instead, or says nothing.</exception>
    public async Task<JsonElement> ReadAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line
                ? JsonDocument.Parse(line).RootElement
                : throw new InvalidOperationException("The program ended: " + await _errors);
        }
        catch (OperationCanceledException failure) when (!Cancel.IsCancellationRequested)
        {
            throw new InvalidOperationException("The program says nothing.", failure);
        }
    }

    /// <summary>The first line that the program says, for those that can't wait for it in any other way: fixtures, while they are made.</summary>
    public JsonElement ReadFirst() => JsonDocument.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The program did not start.")).RootElement;

    /// <summary>Says a line to the program, on its standard input.</summary>
    public async Task WriteAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), Cancel);
        await _process.StandardInput.FlushAsync(Cancel);
    }

    public void Dispose()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
