namespace Lintel.Sandbox;

public enum OutputStream
{
    /// <summary>Standard output, and everything that a terminal shows.</summary>
    Stdout,
    Stderr,
}

/// <summary>Bytes that a program printed. <see cref="Data"/> is used again once the next chunk is asked for.</summary>
public readonly record struct OutputChunk(OutputStream Stream, ReadOnlyMemory<byte> Data);

/// <summary>Text that a program printed; characters are never cut in two.</summary>
public readonly record struct OutputText(OutputStream Stream, string Text);
