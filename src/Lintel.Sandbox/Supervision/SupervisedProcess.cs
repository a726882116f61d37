using System.Diagnostics;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>One sandbox from its spawn to its end. Everything here happens on the supervisor's thread, except where it says otherwise.</summary>
internal sealed partial class SupervisedProcess(SandboxRequest request, SandboxLimits limits, Launch launch) : IDisposable
{
    /// <summary>What <see cref="Supervisor"/> polls for each process: its exit, its status, two outputs, one input, its namespace's end.</summary>
    public const int Slots = 6;

    // From the kill to the last close, both within a few milliseconds when the machine is not starved.
    private static readonly TimeSpan s_drainAtMost = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<SandboxResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GuestInput _input = new();
    private readonly UsageWatch _usage = new(launch.Processes, limits);
    private readonly OutputQueue _output = new(launch.Wake);
    private OutputPump _pump = null!;
    private GuestEnds _ends = null!;
    private Bubblewrap _bubblewrap = null!;
    private Descriptor? _emptied;
    private uint _uid;
    private int _firstPid = -1;
    private int? _exitCode;
    private int _rawExit;
    private bool _exited;
    private long _spawnedAt, _startedAt, _endedAt, _lastActivity;
    private (SandboxVerdict Verdict, string Reason)? _stopped;
    private Exception? _broken;

    /// <summary>Any thread.</summary>
    public OutputQueue Output => _output;

    /// <summary>Any thread.</summary>
    public Task<SandboxResult> Completion => _completion.Task;

    private bool IsTerminal => request.Terminal is not null;

    /// <summary>The host's uid of the guest, for the tests that look for what it left.</summary>
    public uint Uid => _uid;

    public int Pid => _bubblewrap.Pid;

    /// <summary>Starts it. What it throws has left nothing behind.</summary>
    public void Start()
    {
        _uid = launch.Identity.Take();

        try
        {
            _ends = request.Terminal is { } size ? GuestEnds.OpenTerminal(size, launch.Identity, _uid) : GuestEnds.OpenPipes();
            _pump = new OutputPump(_output, limits);
            _bubblewrap = Bubblewrap.Start(request, limits, launch, _ends, _uid);
            _ends.CloseGuests();
        }
        catch (Exception failure)
        {
            _ends?.Dispose();
            launch.Identity.GiveBack(_uid);
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

    /// <summary>Where to wait for what. Nothing is read while the reader is behind, until the program has ended.</summary>
    public void FillSlots(Span<Libc.PollFd> slots)
    {
        var reading = _exited || !Output.IsFull;
        slots[0] = Slot(_exited ? null : _bubblewrap.Exit, Libc.POLLIN);
        slots[1] = Slot(_bubblewrap.Status.Pipe, Libc.POLLIN);
        slots[2] = Slot(reading ? _ends.Outputs[0] : null, Libc.POLLIN);
        slots[3] = Slot(reading ? _ends.Outputs[1] : null, Libc.POLLIN);
        slots[4] = Slot(_input.IsWaiting && !_exited ? _ends.Input : null, Libc.POLLOUT);
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
            var drained = _ends.Outputs.All(output => output is null) && !_bubblewrap.Status.Pipe.IsOpen && _emptied is null && IsGroupEmpty();

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

        if (now >= _usage.Next && _usage.Look(_firstPid) is { } exceeded)
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

    /// <summary>Takes in what bubblewrap reports; false when there is no more of it now.</summary>
    private bool ReadStatus()
    {
        if (!_bubblewrap.Status.TryRead(out var report))
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

        // Before it goes on and leaves its group.
        _firstPid = firstPid;
        launch.Guard.Add(firstPid);
        _emptied = new Descriptor((int)first);

        if (_stopped is not null || _exited)
        {
            return;
        }

        var largestInput = request.Files.Select(file => file.Length).DefaultIfEmpty().Max();
        launch.Identity.Run(_uid, (firstPid, limits, largestInput), static state => ResourceLimits.Apply(state.firstPid, state.limits, state.largestInput));

        using (_bubblewrap.Block)
        {
            _ = _bubblewrap.Block.Write("\n"u8);
        }

        _startedAt = _lastActivity = Stopwatch.GetTimestamp();
        _usage.Start(_startedAt);
    }

    private void ReadOutput(int index)
    {
        _pump.Read(_ends, index, toTheEnd: _exited);
        _lastActivity = Math.Max(_lastActivity, _pump.LastActivity);

        if (_pump.IsOver)
        {
            // The program may have ended with the rest still in the pipe: too much is too much.
            _stopped ??= (SandboxVerdict.OutputLimit, _pump.Reason);
            Kill();
        }
    }

    private unsafe void Reap()
    {
        int status;
        var pid = Libc.waitpid(_bubblewrap.Pid, &status, Libc.WNOHANG);

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
        _bubblewrap.Cgroup?.Kill();

        while (ReadStatus())
        {
            // Its writer is gone: all there is can be read now.
        }

        FeedInput();
    }

    /// <summary>Killed before it told its first process, which then is still in the group that the spawn made.</summary>
    private bool IsGroupEmpty() => _firstPid > 0 || Libc.kill(-_bubblewrap.Pid, 0) != 0;

    private void KillNamespace()
    {
        if (_emptied is not null)
        {
            _ = Libc.syscall(Libc.SYS_pidfd_send_signal, _emptied.Number, Libc.SIGKILL, 0, 0);
        }
    }

    private void Kill()
    {
        if (!_exited)
        {
            // The monitor and, as long as it waits for us, the sandbox's first process. That one by its own number too: when
            // it makes its last user namespace the kernel disarms its die-with-parent, and it is armed again only after it has left
            // the group. A kill in between would leave the program running alone.
            _ = Libc.kill(-_bubblewrap.Pid, Libc.SIGKILL);

            KillNamespace();
            _bubblewrap.Cgroup?.Kill();
        }
    }

    private void Finish()
    {
        if (_completion.Task.IsCompleted)
        {
            return;
        }

        Dispose();
        var cgroup = _bubblewrap.Cgroup?.Finish();
        Output.Complete();

        if (_broken is { } broken)
        {
            _completion.TrySetException(broken as SandboxException ?? new SandboxException($"The sandbox failed: {broken.Message}", broken));
        }
        else if (_exitCode is null && _stopped is null)
        {
            var said = _pump.FirstWords;
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
        return new SandboxResult(verdict, code, signal, elapsed, cpu, peak < 0 ? null : peak / 1024, _pump.Bytes, stopped?.Reason);
    }

    public unsafe void Dispose()
    {
        int status;

        // Orphaned by bubblewrap, the first process is ours to bury where no init does (a server that is a container's pid 1).
        if (_firstPid > 0)
        {
            _ = Libc.waitpid(_firstPid, &status, Libc.WNOHANG);
            launch.Guard.Remove(_firstPid);
        }

        launch.Guard.Remove(-_bubblewrap.Pid);

        _usage.Dispose();
        _bubblewrap.Dispose();
        _emptied?.Dispose();
        _ends.Dispose();
        _input.Feed(null);

        launch.Identity.GiveBack(_uid);
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
