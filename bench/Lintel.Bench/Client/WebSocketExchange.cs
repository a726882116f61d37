using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>Sends the same message again and again over one WebSocket and expects one message in answer to each.</summary>
internal sealed class WebSocketExchange : Exchange
{
    private readonly byte[] message;
    private readonly byte[] expected;

    /// <param name="server">Where to connect.</param>
    /// <param name="path">Path and query of the socket.</param>
    /// <param name="text">What is sent each time.</param>
    /// <param name="expected">A piece of text that every answer must hold.</param>
    /// <param name="bearer">Access token for the handshake.</param>
    /// <param name="from">The local address; one address has only so many ports.</param>
    public WebSocketExchange(
        IPEndPoint server, string path, string text, string expected, string? bearer = null, IPAddress? from = null)
        : base(Open(server, path, bearer, from))
    {
        message = WebSocketFrame.Encode(WebSocketFrame.Text, Encoding.UTF8.GetBytes(text));
        this.expected = Encoding.UTF8.GetBytes(expected);
    }

    /// <summary>The size of the last answer, so that a peer can be asked for one as long.</summary>
    public int AnswerSize { get; private set; }

    protected override ReadOnlySpan<byte> Request => message;

    protected override int Consume(ReadOnlySpan<byte> received, out bool answered)
    {
        answered = false;
        if (!WebSocketFrame.TryRead(received, out var frame))
        {
            return 0;
        }

        switch (frame.Opcode)
        {
            case WebSocketFrame.Text when frame.Payload.IndexOf(expected) >= 0:
                AnswerSize = frame.Payload.Length;
                answered = true;
                break;
            case WebSocketFrame.Ping:
                SendNow(WebSocketFrame.Encode(WebSocketFrame.Pong, frame.Payload));
                break;
            case WebSocketFrame.Pong:
                break;
            default:
                throw new IOException($"Unexpected frame {frame.Opcode}: {Encoding.UTF8.GetString(frame.Payload)}");
        }

        return frame.Length;
    }

    public static Socket Open(IPEndPoint server, string path, string? bearer, IPAddress? from)
    {
        var socket = Connect(server, from);
        try
        {
            Shake(socket, path, bearer);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes only the answer itself out of the socket, so that a frame right behind it stays there.</summary>
    private static void Shake(Socket socket, string path, string? bearer)
    {
        socket.Send(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
            (bearer is null ? "\r\n" : $"Authorization: Bearer {bearer}\r\n\r\n")));

        Span<byte> answer = stackalloc byte[4 * 1024];
        while (true)
        {
            var peeked = socket.Receive(answer, SocketFlags.Peek);
            if (peeked == 0 || peeked == answer.Length)
            {
                throw new IOException($"No handshake answer from {path}.");
            }

            if (!HttpAnswer.TryReadHead(answer[..peeked], out var status, out var length))
            {
                continue;
            }

            socket.Receive(answer[..length]);
            if (status != (int)HttpStatusCode.SwitchingProtocols)
            {
                throw new IOException($"The handshake with {path} was answered {status}.");
            }

            return;
        }
    }
}
