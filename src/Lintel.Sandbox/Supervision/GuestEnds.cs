using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>The two sides of a guest's terminal or pipes: ours stay, the guest's are closed here once it has them.</summary>
internal sealed class GuestEnds : IDisposable
{
    private readonly Descriptor[] _guests;

    private GuestEnds(bool isTerminal, Descriptor input, Descriptor output, Descriptor? error, Descriptor guestInput, Descriptor guestOutput, Descriptor guestError)
    {
        IsTerminal = isTerminal;
        Input = input;
        Outputs = [output, error];
        _guests = [guestInput, guestOutput, guestError];

        foreach (var end in (Descriptor?[])[input, output, error])
        {
            end?.SetNonBlocking();
        }
    }

    public bool IsTerminal { get; }

    public Descriptor Input { get; }

    /// <summary>Standard output, or what the terminal shows; standard error, which a terminal does not tell apart. Null once at its end.</summary>
    public Descriptor?[] Outputs { get; }

    /// <summary>What the guest gets as descriptors 0, 1 and 2.</summary>
    public IReadOnlyList<Descriptor> Guests => _guests;

    public static GuestEnds OpenTerminal(TerminalSize size, GuestIdentity identity, uint uid)
    {
        var (master, slave) = Descriptor.Terminal();
        var ends = new GuestEnds(true, master, master, null, slave, slave, slave);
        ends.Resize(size);

        // As a login does: the guest may open what /dev/console shows it, and stty may set it.
        if (identity.IsRoot && Libc.fchown(slave.Number, uid, uid) != 0)
        {
            ends.Dispose();
            throw new SandboxException("The server is root and may not give a terminal to a guest: it needs CAP_CHOWN, or to run as an ordinary user.");
        }

        return ends;
    }

    public static GuestEnds OpenPipes()
    {
        var (inputRead, inputWrite) = Descriptor.Pipe();
        var (outputRead, outputWrite) = Descriptor.Pipe();
        var (errorRead, errorWrite) = Descriptor.Pipe();
        return new GuestEnds(false, inputWrite, outputRead, errorRead, inputRead, outputWrite, errorWrite);
    }

    public unsafe void Resize(TerminalSize size)
    {
        if (IsTerminal && Input.IsOpen)
        {
            var window = new Libc.WindowSize { Rows = size.Rows, Columns = size.Columns };
            _ = Libc.ioctl(Input.Number, Libc.TIOCSWINSZ, &window);
        }
    }

    /// <summary>What a terminal's keys do goes to whatever job is in its foreground; false when this signal has no key here.</summary>
    public bool TryType(SandboxSignal signal) =>
        IsTerminal && Input.IsOpen && signal is SandboxSignal.Interrupt or SandboxSignal.Quit or SandboxSignal.TerminalStop &&
        Libc.ioctl(Input.Number, Libc.TIOCSIG, (nint)(int)signal) == 0;

    public void EndOutput(int index)
    {
        Outputs[index]?.Dispose();
        Outputs[index] = null;
    }

    public void CloseGuests() => Array.ForEach(_guests, end => end.Dispose());

    public void Dispose()
    {
        CloseGuests();
        Input.Dispose();
        EndOutput(0);
        EndOutput(1);
    }
}
