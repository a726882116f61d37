using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>One sandbox from its spawn to its end. Everything here happens on the supervisor's thread, except where it says otherwise.</summary>
internal sealed class SupervisedProcess(SandboxRequest request, SandboxLimits limits, Launch launch) : IDisposable
{
    /// <summary>What <see cref="Supervisor"/> polls for each process: its exit, its status, two outputs, one input, its namespace's end.</summary>
    public const int Slots = 6;

    // From the kill to the last close, both within a few milliseconds when the machine is not starved.
    private static readonly TimeSpan s_drainAtMost = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<SandboxResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BubblewrapStatus? _status;
    private readonly GuestInput _input = new();
    private readonly StringBuilder _setupErrors = new();

    private readonly UsageWatch _usage = new(launch.Processes, limits);
    private GuestEnds? _ends;
    private Descriptor? _exit, _emptied, _block;
    private CgroupRun? _cgroup;
    private uint _uid;
    private int _pid = -1;
    private int _firstPid = -1;
    private int? _exitCode;
    private int _rawExit;
    private bool _exited;
    private long _spawnedAt, _startedAt, _endedAt, _lastActivity;
    private long _outputBytes;
    private (SandboxVerdict Verdict, string Reason)? _stopped;
    private Exception? _broken;

    /// <summary>Any thread.</summary>
    public OutputQueue Output { get; } = new(launch.Wake);

    /// <summary>Any thread.</summary>
    public Task<SandboxResult> Completion => _completion.Task;

    private bool IsTerminal => request.Terminal is not null;

    /// <summary>The host's uid of the guest, for the tests that look for what it left.</summary>
    public uint Uid => _uid;

    public int Pid => _pid;

    /// <summary>Starts it. What it throws has left nothing behind.</summary>
    public void Start()
    {
        _uid = launch.Identity.Take();

        try
        {
            _ends = request.Terminal is { } size ? GuestEnds.OpenTerminal(size, launch.Identity, _uid) : GuestEnds.OpenPipes();

            // Only the session's leader can take a terminal, and bubblewrap's --new-session made its first process that.
            SpawnBubblewrap(IsTerminal ? ["/usr/bin/setsid", "--ctty", .. request.Command] : request.Command, _ends);
            _ends.CloseGuests();
        }
        catch (Exception failure)
        {
            Kill();
            Dispose();
            _cgroup?.Finish();
            throw failure as SandboxException ?? new SandboxException($"The sandbox could not be started: {failure.Message}", failure);
        }

        _spawnedAt = _lastActivity = Stopwatch.GetTimestamp();

        _input.Start(request.Input);

        if (!request.KeepInputOpen)
        {
            _input.End(IsTerminal && !request.Input.IsEmpty);
        }

        FeedInput();
    }

    private void SpawnBubblewrap(IReadOnlyList<string> command, GuestEnds ends)
    {
        var (statusRead, statusWrite) = Descriptor.Pipe();
        using var guestStatus = statusWrite;
        _status = new BubblewrapStatus(statusRead);
        _block = Descriptor.EndlessPipe();
        var (gateRead, gateWrite) = Descriptor.Pipe();
        using var guestGate = gateRead;
        using var gate = gateWrite;

        var (options, inherited) = BubblewrapArguments.Build(request, limits, launch.Filter);

        try
        {
            using var spawn = new Spawn(
                [launch.Bubblewrap, "--args", BubblewrapArguments.OptionsFd.ToString(CultureInfo.InvariantCulture), "--", .. command],
                ends.Guests, [gateRead, statusWrite, _block, .. inherited]);

            launch.Identity.Run(_uid, (Process: this, spawn), static state => state.Process._pid = state.spawn.Start());

            _exit = new Descriptor(Libc.Check(Libc.syscall(Libc.SYS_pidfd_open, _pid, 0, 0, 0), "pidfd_open"));

            // bubblewrap reads its options to their end before anything else, so it is in its group before it has children. A server
            // that dies here leaves a bubblewrap without options, which starts nothing.
            _cgroup = launch.Cgroups?.Add(_pid, limits);
            gate.WriteAll(options);
        }
        finally
        {
            inherited.ForEach(descriptor => descriptor.Dispose());
        }
    }

    /// <summary>Where to wait for what. Nothing is read while the reader is behind, until the program has ended.</summary>
    public void FillSlots(Span<Libc.PollFd> slots)
    {
        var reading = _exited || !Output.IsFull;
        slots[0] = Slot(_exited ? null : _exit, Libc.POLLIN);
        slots[1] = Slot(_status?.Pipe, Libc.POLLIN);
        slots[2] = Slot(reading ? _ends!.Outputs[0] : null, Libc.POLLIN);
        slots[3] = Slot(reading ? _ends!.Outputs[1] : null, Libc.POLLIN);
        slots[4] = Slot(_input.IsWaiting && !_exited ? _ends!.Input : null, Libc.POLLOUT);
        slots[5] = Slot(_emptied, Libc.POLLIN);

        static Libc.PollFd Slot(Descriptor? descriptor, short events) =>
            new() { Fd = descriptor is { IsOpen: true } ? descriptor.Number : -1, Events = events };
    }

    public void OnReady(ReadOnlySpan<Libc.PollFd> slots)
    {
        if (slots[1].Ready != 0)
        {
            ReadStatus();
        }

        if (slots[0].Ready != 0)
        {
            Reap();
        }

        for (var index = 0; index < 2; index++)
        {
            if (slots[2 + index].Ready != 0)
            {
                ReadOutput(index);
            }
        }

        if (slots[4].Ready != 0)
        {
            FeedInput();
        }

        if (slots[5].Ready != 0)
        {
            LeaveNamespace();
        }
    }

    /// <summary>Sees to the limits; says when to come again at the latest, or null when all is over.</summary>
    public long? Tick(long now)
    {
        if (_exited)
        {
            var drained = _ends!.Outputs.All(output => output is null) && _status is not { Pipe.IsOpen: true } && _emptied is null && IsGroupEmpty();

            if (drained || Stopwatch.GetElapsedTime(_endedAt, now) > s_drainAtMost)
            {
                Finish();
                return null;
            }

            return now + (Stopwatch.Frequency / 100);
        }

        if (_stopped is not null || _broken is not null)
        {
            Kill();
            return now + (Stopwatch.Frequency / 100);
        }

        // The clock starts with the program; a sandbox that never gets so far has the same time for that.
        var from = _startedAt != 0 ? _startedAt : _spawnedAt;
        var deadline = from + Ticks(limits.Wall);

        if (now >= deadline)
        {
            Stop(SandboxVerdict.TimeLimit, $"It ran longer than {limits.Wall.TotalSeconds:0.###} s.");
        }

        if (limits.Idle is { } idle)
        {
            var idleDeadline = _lastActivity + Ticks(idle);
            deadline = Math.Min(deadline, idleDeadline);

            if (now >= idleDeadline)
            {
                Stop(SandboxVerdict.TimeLimit, $"It printed and read nothing for {idle.TotalSeconds:0.###} s.");
            }
        }

        if (now >= _usage.Next && _usage.Look(_firstPid, now) is { } exceeded)
        {
            Stop(exceeded.Verdict, exceeded.Reason);
        }

        return Math.Min(deadline, _usage.Next);
    }

    /// <summary>Ends the whole tree. The first reason given is the one that is reported.</summary>
    public void Stop(SandboxVerdict verdict, string reason)
    {
        if (_exited || _exitCode is not null)
        {
            return;
        }

        _stopped ??= (verdict, reason);
        Kill();
    }

    /// <summary>The supervisor met an error of its own with this process: it is killed, and the error is what is reported.</summary>
    public void Fail(Exception failure)
    {
        _broken ??= failure;
        Kill();

        if (_exited)
        {
            Finish();
        }
    }

    public void QueueInput(ReadOnlyMemory<byte> data, TaskCompletionSource written)
    {
        if (_exited)
        {
            written.TrySetResult();
        }
        else
        {
            _input.Add(data, written);
            FeedInput();
        }
    }

    public void EndInput()
    {
        _input.End(IsTerminal);
        FeedInput();
    }

    public void Resize(TerminalSize size) => _ends?.Resize(size);

    public void Send(SandboxSignal signal)
    {
        if (_exited || _firstPid < 0)
        {
            return;
        }

        if (_ends!.TryType(signal))
        {
            return;
        }

        // The program is the first child of the sandbox's first process, and in a group of its own or in that process's,
        // which ignores what comes from outside.
        var program = launch.Processes.FirstChild(_firstPid);

        if (program > 0)
        {
            var group = launch.Processes.GroupOf(program);
            _ = Libc.kill(group > 0 ? -group : program, (int)signal);
        }
    }

    private void FeedInput()
    {
        if (_input.Feed(_exited ? null : _ends!.Input))
        {
            _lastActivity = Stopwatch.GetTimestamp();
        }

        if (_input.IsOver && !IsTerminal)
        {
            _ends!.Input.Dispose();
        }
    }

    /// <summary>Takes in what bubblewrap reports; false when there is no more of it now.</summary>
    private bool ReadStatus()
    {
        if (_status?.TryRead(out var report) != true)
        {
            return false;
        }

        if (report.FirstPid is { } first)
        {
            LetGo(first);
        }

        if (report.ExitCode is { } code)
        {
            _exitCode = code;
            _endedAt = Stopwatch.GetTimestamp();
        }

        return true;
    }

    /// <summary>The first process ends after all others of its pid namespace: now none is left.</summary>
    private void LeaveNamespace()
    {
        _emptied!.Dispose();
        _emptied = null;
    }

    /// <summary>Its namespaces are there: set its limits, then let bubblewrap start the program.</summary>
    private void LetGo(int firstPid)
    {
        var first = Libc.syscall(Libc.SYS_pidfd_open, firstPid, 0, 0, 0);

        // It may have ended since, by our own kill or because it could not go on.
        if (first < 0)
        {
            return;
        }

        _firstPid = firstPid;
        _emptied = new Descriptor((int)first);

        if (_stopped is not null || _exited)
        {
            return;
        }

        var largestInput = request.Files.Select(file => file.Length).DefaultIfEmpty().Max();
        launch.Identity.Run(_uid, (firstPid, limits, largestInput), static state => ResourceLimits.Apply(state.firstPid, state.limits, state.largestInput));

        using (_block)
        {
            _ = _block!.Write("\n"u8);
        }

        _startedAt = _lastActivity = Stopwatch.GetTimestamp();
        _usage.Start(_startedAt);
    }

    private void ReadOutput(int index)
    {
        var end = _ends!.Outputs[index]!;

        // A few at a time, so that one loud program does not keep the others waiting.
        for (var turn = 0; turn < 4; turn++)
        {
            var buffer = Output.Rent();
            var count = end.Read(buffer.AsSpan(0, OutputQueue.BufferSize));

            if (count <= 0)
            {
                Output.Return(buffer);

                // EIO is how a terminal says that nobody has it open any more.
                if (count != -Libc.EAGAIN)
                {
                    _ends.EndOutput(index);
                }

                return;
            }

            Deliver(index == 0 ? OutputStream.Stdout : OutputStream.Stderr, buffer, count);

            if (!_exited && Output.IsFull)
            {
                return;
            }
        }
    }

    private void Deliver(OutputStream stream, byte[] buffer, int count)
    {
        _lastActivity = Stopwatch.GetTimestamp();
        var within = (int)Math.Min(count, limits.OutputBytes - _outputBytes);
        _outputBytes += within;

        // Before the program has begun, what is said is bubblewrap's: the reason why it cannot begin.
        if ((IsTerminal || stream == OutputStream.Stderr) && _setupErrors.Length < 1000)
        {
            _setupErrors.Append(Encoding.UTF8.GetString(buffer.AsSpan(0, Math.Min(count, 1000))));
        }

        if (within > 0)
        {
            Output.Add(stream, buffer, within);
        }
        else
        {
            Output.Return(buffer);
        }

        if (within < count)
        {
            var reason = $"It printed more than {limits.OutputBytes} bytes.";

            // The program may have ended with the rest still in the pipe: too much is too much.
            _stopped ??= (SandboxVerdict.OutputLimit, reason);
            Kill();
        }
    }

    private unsafe void Reap()
    {
        int status;
        var pid = Libc.waitpid(_pid, &status, Libc.WNOHANG);

        if (pid == 0)
        {
            return;
        }

        // Somebody who ignores SIGCHLD has it reaped by the kernel; bubblewrap's own report has the code then.
        _rawExit = pid < 0 ? 0 : (status & 0x7F) != 0 ? 128 + (status & 0x7F) : (status >> 8) & 0xFF;
        _exited = true;
        _endedAt = _endedAt == 0 ? Stopwatch.GetTimestamp() : _endedAt;

        // It is ending by itself, unless its monitor was killed by somebody else at the wrong moment.
        KillNamespace();
        _cgroup?.Kill();

        while (ReadStatus())
        {
            // Its writer is gone: all there is can be read now.
        }

        FeedInput();
    }

    /// <summary>Killed before it told its first process, which then is still in the group that the spawn made.</summary>
    private bool IsGroupEmpty() => _firstPid > 0 || Libc.kill(-_pid, 0) != 0;

    private void KillNamespace()
    {
        if (_emptied is not null)
        {
            _ = Libc.syscall(Libc.SYS_pidfd_send_signal, _emptied.Number, Libc.SIGKILL, 0, 0);
        }
    }

    private void Kill()
    {
        if (_pid > 0 && !_exited)
        {
            // The monitor and, as long as it waits for us, the sandbox's first process. That one by its own number too: when
            // it makes its last user namespace the kernel disarms its die-with-parent, and it is armed again only after it has left
            // the group. A kill in between would leave the program running alone.
            _ = Libc.kill(-_pid, Libc.SIGKILL);

            KillNamespace();
            _cgroup?.Kill();
        }
    }

    private void Finish()
    {
        if (_completion.Task.IsCompleted)
        {
            return;
        }

        Dispose();
        var cgroup = _cgroup?.Finish();
        Output.Complete();

        if (_broken is { } broken)
        {
            _completion.TrySetException(broken as SandboxException ?? new SandboxException($"The sandbox failed: {broken.Message}", broken));
        }
        else if (_exitCode is null && _stopped is null)
        {
            var said = _setupErrors.ToString().Trim();
            _completion.TrySetException(new SandboxException(
                $"The sandbox could not start '{request.Command[0]}': {(said.Length > 0 ? said : $"bubblewrap ended with {_rawExit}")}"));
        }
        else
        {
            _completion.TrySetResult(Result(cgroup));
        }
    }

    private SandboxResult Result(CgroupUsage? cgroup)
    {
        var code = _exitCode ?? 128 + Libc.SIGKILL;
        var signal = code is > 128 and <= 128 + 64 ? code - 128 : (int?)null;

        // Limits that the kernel kept by itself, which show in how the program ended.
        var stopped = _stopped switch
        {
            null when cgroup is { WasOutOfMemory: true } => (SandboxVerdict.MemoryLimit, _usage.MemoryReason),
            null when signal == Libc.SIGXCPU || (signal == Libc.SIGKILL && _usage.Cpu >= limits.Cpu) => (SandboxVerdict.TimeLimit, _usage.CpuReason),
            _ => _stopped,
        };

        var verdict = stopped?.Verdict ?? (code == 0 ? SandboxVerdict.Ok : signal is null ? SandboxVerdict.Nonzero : SandboxVerdict.Signalled);
        var peak = Math.Max(_usage.PeakBytes ?? -1, cgroup?.PeakBytes ?? -1);
        var elapsed = Stopwatch.GetElapsedTime(_startedAt != 0 ? _startedAt : _spawnedAt, _endedAt);


        // The kernel is quicker than the next look when one process alone has used it all.
        var cpu = stopped?.Reason == _usage.CpuReason && _usage.Cpu < limits.Cpu ? limits.Cpu : _usage.Cpu;
        return new SandboxResult(verdict, code, signal, elapsed, cpu, peak < 0 ? null : peak / 1024, _outputBytes, stopped?.Reason);
    }

    public unsafe void Dispose()
    {
        int status;

        // Orphaned by bubblewrap, the first process is ours to bury where no init does (a server that is a container's pid 1).
        if (_firstPid > 0)
        {
            _ = Libc.waitpid(_firstPid, &status, Libc.WNOHANG);
        }

        // After a failed start the process was killed and nobody waits for it yet.
        if (_pid > 0 && !_exited)
        {
            _ = Libc.waitpid(_pid, &status, 0);
            _exited = true;
        }

        foreach (var descriptor in (Descriptor?[])[_exit, _emptied, _block, _status?.Pipe])
        {
            descriptor?.Dispose();
        }

        _ends?.Dispose();
        _input.Feed(null);

        if (_uid != 0)
        {
            launch.Identity.GiveBack(_uid);
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
