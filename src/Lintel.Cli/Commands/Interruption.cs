using System.Runtime.InteropServices;

namespace Lintel.Cli.Commands;

/// <summary>Ctrl+C and the like, for commands that have something to put away first. A second one ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption(CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _registrations = [On(PosixSignal.SIGINT, 2), On(PosixSignal.SIGTERM, 15), On(PosixSignal.SIGHUP, 1)];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The number of the signal that came; null while none did.</summary>
    public int? Signal { get; private set; }

    public void Dispose()
    {
        Array.ForEach(_registrations, static registration => registration.Dispose());
        _source.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        if (Signal is null)
        {
            Signal = number;
            context.Cancel = true;
            _source.Cancel();
        }
    });
}
