using System.Diagnostics;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <content>What its user sends it while it runs.</content>
internal sealed partial class SupervisedProcess
{
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

    public void Resize(TerminalSize size) => _ends.Resize(size);

    public void Send(SandboxSignal signal)
    {
        if (_exited || _firstPid < 0)
        {
            return;
        }

        if (_ends.TryType(signal))
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
        if (_input.Feed(_exited ? null : _ends.Input))
        {
            _lastActivity = Stopwatch.GetTimestamp();
        }

        if (_input.IsOver && !IsTerminal)
        {
            _ends.Input.Dispose();
        }
    }
}
