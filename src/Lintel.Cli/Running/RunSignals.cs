using System.Runtime.InteropServices;

namespace Lintel.Cli.Running;

/// <summary>What the system tells this process while a program runs for it.</summary>
internal sealed class RunSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <param name="interrupted">SIGINT and SIGQUIT, which a person sends to the program.</param>
    /// <param name="ended">SIGTERM and SIGHUP, by number: this process is to end, and so is the program.</param>
    /// <param name="resized">The terminal has another size.</param>
    public RunSignals(Action<string> interrupted, Action<int> ended, Action resized)
    {
        On(PosixSignal.SIGINT, () => interrupted("SIGINT"));
        On(PosixSignal.SIGQUIT, () => interrupted("SIGQUIT"));
        On(PosixSignal.SIGTERM, () => ended(15));
        On(PosixSignal.SIGHUP, () => ended(1));
        On(PosixSignal.SIGWINCH, resized);
        On(PosixSignal.SIGCONT, resized);
    }

    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private void On(PosixSignal signal, Action action) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        action();
    }));
}
