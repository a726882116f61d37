using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Running;

/// <summary>Carries a run between its socket and its view; when the socket breaks, the job's stream brings the rest.</summary>
internal sealed class RunLink(ApiClient api, RunSocket socket, RunView view, TimeProvider time) : IDisposable
{
    private static readonly SocketCommand Ping = new("ping");
    private static readonly TimeSpan NoticeDelay = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Channel<bool> _answers = Channel.CreateUnbounded<bool>();
    private string? _refusal;
    private volatile bool _isAsking;
    private volatile bool _isBroken;

    /// <summary>Whether nothing that is sent reaches the program any more.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Whether the rest of the run came over the job's stream.</summary>
    public bool HasReattached { get; private set; }

    /// <summary>What is said to the user when the connection breaks while the program runs.</summary>
    public required Func<string> WhatIsLost { get; init; }

    /// <summary>Brings everything to the view until the run is over.</summary>
    /// <exception cref="CommandException">It was refused, or lost.</exception>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!view.IsOver && await socket.ReceiveAsync(cancellationToken) is { } message)
            {
                Take(message);
            }
        }
        finally
        {
            _isBroken = true;
            _answers.Writer.TryComplete();
        }

        if (view.IsOver)
        {
            return;
        }

        if (view.JobId is not { } jobId)
        {
            throw Refused();
        }

        StandardStreams.Tell($"The connection broke. Reconnecting to {api.Address} …");
        var stream = new EventStream(api, EventSource.OfJob(jobId), time)
        {
            Broken = () => StandardStreams.Tell("The connection broke again. Reconnecting …"),
            Restored = () =>
            {
                HasReattached = true;
                _ = TellRestoredAsync(cancellationToken);
            },
        };
        await foreach (var item in stream.ReadAsync(view.LastId, isBroken: true, cancellationToken))
        {
            using var data = JsonDocument.Parse(item.Data);
            view.Take(item.Kind, item.Id, data.RootElement);
        }
    }

    /// <summary>Sends what needs no answer.</summary>
    public Task<bool> SendAsync(SocketCommand command) => _isBroken ? Task.FromResult(false) : socket.SendAsync(command);

    /// <summary>Sends a command until the server takes it: the program may not have read what it was sent before, or only be about to begin.</summary>
    /// <returns>False when the connection broke first.</returns>
    public async Task<bool> DeliverAsync(SocketCommand command, CancellationToken over)
    {
        bool? isTaken;
        while ((isTaken = await AskAsync(command)) == false)
        {
            await Task.Delay(RetryInterval, time, over);
        }

        return isTaken == true;
    }

    /// <summary>Ends the program, wherever it is.</summary>
    public async Task KillAsync()
    {
        if (!await SendAsync(new SocketCommand("kill")) && view.JobId is { } jobId)
        {
            await api.DeleteAsync($"api/jobs/{jobId}", CancellationToken.None);
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>
    /// Sends a command and finds out whether the server took it. Refusals do not say what they refuse, so a ping follows each command and one waits for its answer
    /// before the next.
    /// </summary>
    /// <returns>Null when the connection broke, and nobody knows.</returns>
    private async Task<bool?> AskAsync(SocketCommand command)
    {
        await _turn.WaitAsync();
        try
        {
            _isAsking = true;
            return await SendAsync(command) && await SendAsync(Ping) && await _answers.Reader.WaitToReadAsync() && _answers.Reader.TryRead(out var isTaken) ? isTaken : null;
        }
        finally
        {
            _isAsking = false;
            _turn.Release();
        }
    }

    /// <summary>A server that is back after a crash may have nothing more to tell than that the program is gone; then that alone is said.</summary>
    private async Task TellRestoredAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(NoticeDelay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!view.IsOver)
        {
            StandardStreams.Tell($"Reconnected; nothing was lost. {WhatIsLost()}".TrimEnd());
        }
    }

    private void Take(ReadOnlyMemory<byte> message)
    {
        using var document = JsonDocument.Parse(message);
        var root = document.RootElement;
        var kind = root.GetProperty("type").GetString()!;
        var id = root.TryGetProperty("id", out var own) ? own.GetString() : null;
        switch (kind)
        {
            case "pong":
                _answers.Writer.TryWrite(_refusal is null);
                _refusal = null;
                break;
            case "error" when id is not null:
                // A job's last event, under the name that this socket has for it.
                view.Take("failed", id, root);
                break;
            case "error":
                Complain(root.GetProperty("message").GetString()!);
                break;
            default:
                view.Take(kind, id, root);
                break;
        }
    }

    private void Complain(string message)
    {
        if (_isAsking || view.JobId is null)
        {
            _refusal = message;
        }
        else
        {
            StandardStreams.Tell(message);
        }
    }

    /// <summary>Why there is no run.</summary>
    private CommandException Refused() => (_refusal, socket.CloseStatus) switch
    {
        ({ } refusal, WebSocketCloseStatus.PolicyViolation) => new(ExitCode.NotAllowed, refusal),
        ({ } refusal, WebSocketCloseStatus.InternalServerError) => new(ExitCode.Unavailable, refusal),
        ({ } refusal, _) => new(ExitCode.BadData, refusal),
        _ => new(
            ExitCode.TryAgain,
            $"The connection to {api.Address} broke before the server said that it had the program. It may run all the same: `lintel jobs list` shows it; else try again."),
    };
}
