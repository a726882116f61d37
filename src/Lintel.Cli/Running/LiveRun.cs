using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Running;

/// <summary>A program on the server as if it ran here: keys, input and signals go to it, its output comes here, its exit code is this process's own.</summary>
internal sealed class LiveRun(ApiClient api, ExecuteCode program, ProgramInput? input, TimeProvider time) : IDisposable
{
    /// <summary>What the server takes as one message.</summary>
    private const int LargestMessage = 1024 * 1024;

    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan NoticeInterval = TimeSpan.FromMilliseconds(1500);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromSeconds(25);

    private readonly bool _isTerminal = program.Terminal is not null;
    private readonly RunView _view = new();
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunLink? _link;
    private (int Columns, int Rows) _size = (program.Terminal?.Cols ?? 0, program.Terminal?.Rows ?? 0);
    private int _interrupts;
    private int _kills;
    private int? _endedBy;
    private CommandException? _inputFailure;

    /// <summary>Runs the program to its end.</summary>
    /// <returns>The exit code for this process.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var ready = input is null ? "" : await input.ReadReadyAsync();
        using var socket = await RunSocket.ConnectAsync(api, cancellationToken);
        var rest = await StartAsync(socket, ready);
        _link = new RunLink(api, socket, _view, time) { WhatIsLost = WhatIsLost };
        try
        {
            using var raw = _isTerminal ? TerminalMode.Raw() : null;
            using var signals = new RunSignals(Interrupt, End, Resize);
            Resize();
            var following = _link.FollowAsync(_over.Token);
            Task[] others = [SendInputAsync(rest), KeepSignedInAsync(), TellWaitingAsync()];
            var ended = await Task.WhenAny(following, _abandoned.Task);
            await _over.CancelAsync();
            await Task.WhenAll(others).WaitAsync(KillPatience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended == following)
            {
                await following;
            }
        }
        catch (Exception failure) when (failure is BrokenPipeException or CommandException { ExitCode: ExitCode.Input })
        {
            // Nobody sees what it prints.
            await KillQuietlyAsync();
            throw;
        }
        finally
        {
            await _over.CancelAsync();
        }

        return Conclude();
    }

    public void Dispose()
    {
        _link?.Dispose();
        _over.Dispose();
    }

    private async Task<string> StartAsync(RunSocket socket, string ready)
    {
        var message = Serialize(program with { Type = "execute", Stdin = ready.Length > 0 ? ready : null });
        if (message.Length > LargestMessage)
        {
            message = Serialize(program with { Type = "execute" });
        }
        else
        {
            ready = "";
        }

        if (message.Length > LargestMessage)
        {
            throw new CommandException(ExitCode.BadData, "The program and its files are larger than 1 MB, which a live run cannot be; make them smaller, or use --detach.");
        }

        // Where this fails, the link finds out.
        await socket.SendAsync(message);
        return ready;
    }

    private static byte[] Serialize(ExecuteCode program) => JsonSerializer.SerializeToUtf8Bytes(program, ApiJson.Compact.ExecuteCode);

    private async Task SendInputAsync(string ready)
    {
        var sender = new RunInput(_link!, _view, time);
        try
        {
            if (_isTerminal)
            {
                await sender.SendKeysAsync(KillAtKey, _over.Token);
            }
            else if (input is not null)
            {
                await sender.SendAllAsync(ready, input, _over.Token);
            }
        }
        catch (CommandException failure)
        {
            _inputFailure = failure;
            Kill();
        }
    }

    /// <summary>Ctrl+C while there is no program to send it to, and the way out of one that does not end.</summary>
    private void KillAtKey()
    {
        StandardStreams.Tell(_view.IsRunning && !_link!.IsBroken ? "Ending the program." : "Cancelling the run.");
        Kill();
    }

    private void Interrupt(string signal)
    {
        var count = Interlocked.Increment(ref _interrupts);
        if (_isTerminal)
        {
            // Keys come as input there: this one was sent to this process by another.
            End(signal == "SIGINT" ? 2 : 3);
        }
        else if (count == 1 && _view.IsRunning && !_link!.IsBroken)
        {
            _ = _link.DeliverAsync(new SocketCommand("signal") { Signal = signal }, _over.Token);
        }
        else
        {
            Kill();
        }
    }

    /// <summary>This process was told to end, and so shall the program.</summary>
    private void End(int signal)
    {
        _endedBy ??= signal;
        Kill();
    }

    private void Kill()
    {
        if (Interlocked.Increment(ref _kills) == 1)
        {
            _ = KillInTimeAsync();
        }
        else
        {
            // Whoever asks twice does not want to wait.
            _abandoned.TrySetResult();
        }
    }

    private async Task KillInTimeAsync()
    {
        await KillQuietlyAsync();
        await Task.Delay(KillPatience, time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _abandoned.TrySetResult();
    }

    private async Task KillQuietlyAsync()
    {
        try
        {
            await _link!.KillAsync().WaitAsync(KillPatience, time);
        }
        catch (Exception failure) when (failure is CommandException or ServerUnreachableException or TimeoutException)
        {
            // The server ends a run by itself that nobody watches.
            api.Trace($"The run could not be ended: {failure.Message}");
        }
    }

    private void Resize()
    {
        if (_isTerminal)
        {
            var (columns, rows) = StandardStreams.Size();
            if (_size != (columns, rows))
            {
                _size = (columns, rows);
                _ = _link!.SendAsync(new SocketCommand("resize") { Cols = columns, Rows = rows });
            }
        }
    }

    /// <summary>A socket ends with the token that opened it, unless it is given the next one.</summary>
    private async Task KeepSignedInAsync()
    {
        while (api.Credentials!.ExpiresAt is { } end)
        {
            var wait = end - RenewBefore - time.GetUtcNow();
            await Task.Delay(wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1), time, _over.Token);
            try
            {
                var credential = await api.Credentials.GetAsync(_over.Token);
                await _link!.SendAsync(new SocketCommand("auth") { Token = credential.Token });
            }
            catch (Exception failure) when (failure is CommandException or ServerUnreachableException)
            {
                api.Trace($"The access token could not be renewed: {failure.Message}");
            }
        }
    }

    /// <summary>Says why nothing happens yet, when that takes long enough to wonder.</summary>
    private async Task TellWaitingAsync()
    {
        var told = "";
        while (StandardStreams.ErrorIsTerminal && !_view.IsRunning)
        {
            await Task.Delay(NoticeInterval, time, _over.Token);
            if (!_view.IsRunning && _view.Waiting is { } waiting && waiting != told)
            {
                StandardStreams.Tell(told = waiting);
            }
        }
    }

    private string WhatIsLost() => _isTerminal
        ? "What you type no longer reaches the program; Ctrl+C ends it."
        : input is { IsAtEnd: false } ? "What was not yet sent of the input no longer reaches the program; Ctrl+C ends it." : "";

    private int Conclude()
    {
        if (_inputFailure is not null)
        {
            throw _inputFailure;
        }

        if (_endedBy is { } signal)
        {
            return 128 + signal;
        }

        if (!_view.IsOver)
        {
            StandardStreams.Tell("The server did not end the program in time; it does so by itself 10 seconds after the last watcher has gone.");
            return ExitCode.Interrupted;
        }

        if (_isTerminal && _view.Completed?.Signal == "SIGINT")
        {
            // As a shell does after ^C, when it sees the signal itself.
            StandardStreams.Err.WriteLine();
        }

        var (exitCode, message) = RunVerdict.Of(_view, wasAlone: _link!.HasReattached && _kills == 0);
        if (message is not null)
        {
            StandardStreams.Tell(message);
        }

        return exitCode;
    }
}
