using System.Text;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Running;

/// <summary>Shows a run: what the program prints, on the stream it belongs to, and at the end what became of it.</summary>
internal sealed class RunView
{
    private byte[] _buffer = [];

    public Guid? JobId { get; private set; }

    /// <summary>The id of the last event that was shown.</summary>
    public string? LastId { get; private set; }

    /// <summary>Whether the program itself has begun.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>While it waits: its place, and whether it is being compiled.</summary>
    public string? Waiting { get; private set; }

    public RunCompleted? Completed { get; private set; }

    /// <summary>Why the job failed, where it did.</summary>
    public string? Failure { get; private set; }

    public bool IsCancelled { get; private set; }

    public bool IsOver => Completed is not null || Failure is not null || IsCancelled;

    /// <summary>Takes one event, from the socket or from the job's stream.</summary>
    public void Take(string kind, string? id, JsonElement data)
    {
        switch (kind)
        {
            case "status":
                Status(data);
                break;
            case "output":
                Print(data);
                break;
            case "complete":
                Completed = data.Deserialize(ApiJson.Default.RunCompleted);
                break;
            case "failed":
                Failure = data.GetProperty("message").GetString();
                break;
            case "cancelled":
                IsCancelled = true;
                break;
        }

        // Only now: what was not shown is asked for again.
        LastId = id ?? LastId;
    }

    private void Status(JsonElement data)
    {
        if (data.TryGetProperty("job_id", out var job) && job.TryGetGuid(out var id))
        {
            JobId = id;
        }

        var status = data.GetProperty("status").GetString();
        IsRunning |= status == "running";
        Waiting = status switch
        {
            "queued" when data.TryGetProperty("position", out var position) && position.ValueKind == JsonValueKind.Number => $"Waiting for a free place; about number {position} in the queue.",
            "compiling" => "Compiling.",
            _ => null,
        };
    }

    private void Print(JsonElement data)
    {
        var text = data.GetProperty("data").GetString()!;
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_buffer.Length < length)
        {
            _buffer = new byte[length];
        }

        var bytes = _buffer.AsSpan(0, Encoding.UTF8.GetBytes(text, _buffer));
        var stream = data.GetProperty("stream").GetString();
        if (stream == "stdout")
        {
            StandardStreams.Output.Write(bytes);
        }
        else if (TerminalMode.IsRaw && stream == "compile")
        {
            // The compiler had no terminal that would have turned its line breaks into this one's.
            StandardStreams.Error.Write(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n")));
        }
        else
        {
            StandardStreams.Error.Write(bytes);
        }
    }
}
