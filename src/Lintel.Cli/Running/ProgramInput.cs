using System.Text;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Running;

/// <summary>What a program is to read that was not typed: standard input, or a file, as text in pieces that a message can carry.</summary>
internal sealed class ProgramInput(int fd) : IDisposable
{
    /// <summary>A message takes 10 KB.</summary>
    private const int PieceBytes = 8 * 1024;

    private const int MostAtOnce = 256 * 1024;

    /// <summary>Most input is whole at once: a file, the output of a program that ended. The rest is sent as it comes.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(100);

    private readonly InputReader _reader = new(fd);
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
    private readonly byte[] _bytes = new byte[PieceBytes];
    private readonly char[] _characters = new char[PieceBytes + 1];

    /// <summary>Whether all of it was read.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>What there is at once.</summary>
    public async Task<string> ReadReadyAsync()
    {
        var text = new StringBuilder();
        using var enough = new CancellationTokenSource(Wait);
        try
        {
            while (text.Length < MostAtOnce && await ReadAsync(enough.Token) is { } piece)
            {
                text.Append(piece);
            }
        }
        catch (OperationCanceledException)
        {
            // It is still being made.
        }

        return text.ToString();
    }

    /// <summary>The next piece; null at the end.</summary>
    /// <exception cref="CommandException">It is not text.</exception>
    public async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        while (!IsAtEnd)
        {
            var count = await _reader.ReadAsync(_bytes, cancellationToken);
            IsAtEnd = count == 0;
            try
            {
                var length = _decoder.GetChars(_bytes.AsSpan(0, count), _characters, flush: IsAtEnd);
                if (length > 0)
                {
                    return new string(_characters, 0, length);
                }
            }
            catch (DecoderFallbackException)
            {
                throw new CommandException(ExitCode.BadData, "The input is not text in UTF-8, and only text can be sent; give the program binary data as a --file.");
            }
        }

        return null;
    }

    public void Dispose() => _reader.Dispose();
}
