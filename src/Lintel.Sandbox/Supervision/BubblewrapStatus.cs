using System.Text;
using System.Text.Json;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// What bubblewrap reports on its status pipe, one JSON object a line: its first process, once the namespaces are there, and the
/// program's exit code, which it leaves out when the program could not be started.
/// </summary>
internal sealed class BubblewrapStatus
{
    private string _rest = "";

    public BubblewrapStatus(Descriptor pipe)
    {
        pipe.SetNonBlocking();
        Pipe = pipe;
    }

    /// <summary>Closed at its end.</summary>
    public Descriptor Pipe { get; }

    /// <summary>False when there is nothing more now.</summary>
    public bool TryRead(out (int? FirstPid, int? ExitCode) report)
    {
        report = default;
        Span<byte> buffer = stackalloc byte[1024];
        var count = Pipe.IsOpen ? Pipe.Read(buffer) : 0;

        if (count == -Libc.EAGAIN)
        {
            return false;
        }

        if (count <= 0)
        {
            Pipe.Dispose();
            return false;
        }

        var lines = (_rest + Encoding.UTF8.GetString(buffer[..count])).Split('\n');
        _rest = lines[^1];

        foreach (var line in lines[..^1])
        {
            using var document = JsonDocument.Parse(line);
            report.FirstPid ??= Number(document, "child-pid");
            report.ExitCode ??= Number(document, "exit-code");
        }

        return true;
    }

    private static int? Number(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) ? value.GetInt32() : null;
}
