namespace Lintel.Cli.Running;

/// <summary>The way out of a program that takes no notice of Ctrl+C: Ctrl+] three times within a second, as consoles of virtual machines have it.</summary>
internal sealed class EscapeKeys(TimeProvider time)
{
    private const byte ControlBracket = 0x1D;
    private const int Times = 3;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

    private long _first;
    private int _count;

    /// <summary>Whether these keys complete the way out. Any other key in between begins anew.</summary>
    public bool Take(ReadOnlySpan<byte> keys)
    {
        foreach (var key in keys)
        {
            if (key != ControlBracket)
            {
                _count = 0;
                continue;
            }

            if (_count == 0 || time.GetElapsedTime(_first) > Within)
            {
                _first = time.GetTimestamp();
                _count = 0;
            }

            if (++_count == Times)
            {
                _count = 0;
                return true;
            }
        }

        return false;
    }
}
