using System.Text;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Platform.Json;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Execution;

/// <summary>A program and the client at its socket: what it prints goes out, what the client types, resizes and signals goes in.</summary>
internal sealed class ExecuteSession(Executions executions, LiveRuns runs, JobViewers viewers, RunFollower follower, ExecuteCommands commands)
{
    /// <summary>Submits the program and serves its socket until one of them is over.</summary>
    /// <exception cref="Platform.Errors.ServiceUnavailableException">It was not accepted.</exception>
    public async Task RunAsync(SocketConnection connection, ExecutionRequest execution, Guid jobId)
    {
        // Before the job can begin, so that it finds who types into it.
        var live = runs.Add(jobId);
        Job job;
        Guid? viewer;
        try
        {
            (job, viewer) = await executions.SubmitHereAsync(connection.Caller.OwnerId, execution, jobId);
        }
        catch
        {
            runs.Remove(jobId);
            throw;
        }

        var end = FollowEnd.Disconnected;
        try
        {
            var following = follower.RunAsync(connection, job);
            while (await connection.ReceiveAsync() == SocketRead.Message)
            {
                await commands.AnswerAsync(connection, live, job);
            }

            end = await following;
        }
        finally
        {
            // Nobody can type any more. A program that runs on alone, or begins only now, sees the end of its input; any other has its grace.
            runs.Remove(jobId);
            if (execution.Detach)
            {
                live.EndInput();
            }

            if (viewer is { } id)
            {
                await viewers.LeaveAsync(jobId, id, end);
            }
        }
    }
}

/// <summary>Brings a run's events to its socket, and before the first of them its place in the queue.</summary>
internal sealed class RunFollower(StreamLog log, StreamFollower follower, JobQueue queue, TimeProvider time)
{
    private static readonly TimeSpan PositionInterval = TimeSpan.FromSeconds(1);

    public async Task<FollowEnd> RunAsync(SocketConnection connection, Job job)
    {
        using var sink = new ExecuteSink(connection, job.Id, time);
        using var over = new CancellationTokenSource();
        var stream = await log.GetAsync(job.StreamId, CancellationToken.None);
        var position = await queue.PositionAsync(job, CancellationToken.None);
        await sink.SendQueuedAsync(position);
        var telling = TellPositionAsync(sink, job, position, over.Token);
        try
        {
            return await follower.RunAsync(stream, 0, sink);
        }
        finally
        {
            await over.CancelAsync();
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellPositionAsync(ExecuteSink sink, Job job, long? told, CancellationToken over)
    {
        using var timer = new PeriodicTimer(PositionInterval, time);
        while (await timer.WaitForNextTickAsync(over))
        {
            if (await queue.PositionAsync(job, over) is not { } position)
            {
                return;
            }

            if (position != told && !await sink.SendQueuedAsync(told = position))
            {
                return;
            }
        }
    }
}

/// <summary>Does what a client says while its program waits or runs. A wrong message is answered, and changes nothing.</summary>
internal sealed class ExecuteCommands(SocketHandshake handshake, JobQueue queue)
{
    private const int MaxInput = 10 * 1024;

    /// <summary>Deals with the message that was read last.</summary>
    public async ValueTask AnswerAsync(SocketConnection connection, LiveRun live, Job job)
    {
        if (SocketEnvelope.Read(connection.Message.Span) is not { } envelope)
        {
            await handshake.AnswerAsync(connection);
            return;
        }

        var problem = envelope.Type switch
        {
            "input" => Type(connection, live),
            "resize" => Resize(connection, live),
            "signal" => Signal(connection, live),
            "eof" => EndInput(live),
            "kill" => await KillAsync(live, job),
            "execute" => "A program runs on this socket already; open another one for the next.",
            _ => "",
        };
        if (problem is "")
        {
            await handshake.AnswerAsync(connection);
        }
        else if (problem is not null)
        {
            await connection.SendErrorAsync(problem);
        }
    }

    private static string? Type(SocketConnection connection, LiveRun live)
    {
        using var message = JsonDocument.Parse(connection.Message);
        var errors = default(FieldErrors);
        if (new ObjectReader(message.RootElement, "").Text("data", ref errors) is not { } text)
        {
            return "input needs data, a text.";
        }

        var data = Encoding.UTF8.GetBytes(text);
        if (data.Length > MaxInput)
        {
            return "Input too large: at most 10 KB in one message.";
        }

        return live.TryType(data) ? null : "The program does not read its input; this was dropped. Try again when it does.";
    }

    private static string? Resize(SocketConnection connection, LiveRun live)
    {
        using var message = JsonDocument.Parse(connection.Message);
        var errors = default(FieldErrors);
        var size = ExecutionRequest.ReadSize(new ObjectReader(message.RootElement, ""), ref errors);
        if (errors.Any)
        {
            return "resize needs cols and rows, whole numbers from 1 to 1000.";
        }

        live.Resize(size);
        return null;
    }

    private static string? Signal(SocketConnection connection, LiveRun live)
    {
        using var message = JsonDocument.Parse(connection.Message);
        var errors = default(FieldErrors);
        if (RunEvents.SignalOf(new ObjectReader(message.RootElement, "").Text("signal", ref errors)) is not { } signal)
        {
            return "signal must be one of: SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP. To end the program send kill.";
        }

        return live.TrySignal(signal) ? null : "The program does not run yet.";
    }

    private static string? EndInput(LiveRun live)
    {
        live.EndInput();
        return null;
    }

    private async ValueTask<string?> KillAsync(LiveRun live, Job job)
    {
        if (!live.TryKill())
        {
            // It waits or is being compiled.
            await queue.CancelAsync(job.Id, job.OwnerId, CancellationToken.None);
        }

        return null;
    }
}
