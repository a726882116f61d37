using System.Text;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Running;

/// <summary>Brings a program what it is to read.</summary>
internal sealed class RunInput(RunLink link, RunView view, TimeProvider time)
{
    private const byte ControlC = 0x03;

    /// <summary>As characters, at most three bytes each, within the 10 KB of a message.</summary>
    private const int Piece = 3000;

    /// <summary>Sends every key as it is typed. The terminal at the other end makes lines, echoes and signals of them.</summary>
    /// <param name="kill">Told when the user wants to be rid of the program.</param>
    public async Task SendKeysAsync(Action kill, CancellationToken over)
    {
        using var reader = new InputReader(StandardStreams.InputFd);
        var escape = new EscapeKeys(time);
        var decoder = new UTF8Encoding().GetDecoder();
        var keys = new byte[4096];
        var characters = new char[keys.Length + 1];
        while (await reader.ReadAsync(keys, over) is > 0 and var count)
        {
            var typed = keys.AsMemory(0, count);
            if (escape.Take(typed.Span) || ((!view.IsRunning || link.IsBroken) && typed.Span.Contains(ControlC)))
            {
                kill();
                continue;
            }

            var length = decoder.GetChars(typed.Span, characters, flush: false);
            foreach (var piece in Pieces(new string(characters, 0, length)))
            {
                await link.SendAsync(new SocketCommand("input") { Data = piece });
            }
        }

        // The terminal is gone; a line that asks for more is not to wait for ever.
        await link.SendAsync(new SocketCommand("eof"));
    }

    /// <summary>Sends all of it, no faster than the program reads, and then its end.</summary>
    public async Task SendAllAsync(string ready, ProgramInput input, CancellationToken over)
    {
        foreach (var piece in Pieces(ready))
        {
            if (!await link.DeliverAsync(new SocketCommand("input") { Data = piece }, over))
            {
                return;
            }
        }

        while (await input.ReadAsync(over) is { } text)
        {
            if (!await link.DeliverAsync(new SocketCommand("input") { Data = text }, over))
            {
                return;
            }
        }

        await link.DeliverAsync(new SocketCommand("eof"), over);
    }

    /// <summary>The text as messages can carry it; no character beyond the BMP is torn in two.</summary>
    private static IEnumerable<string> Pieces(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var length = Math.Min(Piece, text.Length - start);
            if (start + length < text.Length && char.IsHighSurrogate(text[start + length - 1]))
            {
                length--;
            }

            yield return text.Substring(start, length);
            start += length;
        }
    }
}
