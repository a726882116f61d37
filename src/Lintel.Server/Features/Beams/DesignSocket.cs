using System.Net.WebSockets;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Beams;

/// <summary>Serves one socket of a live design session: a message in, its answer out, at once.</summary>
internal sealed class DesignSocket(SocketHandshake handshake, DesignSessions sessions, TimeProvider time)
{
    /// <param name="firstIsRead">The connection's last read message is the first to answer.</param>
    public async Task ServeAsync(SocketConnection connection, string sessionName, bool firstIsRead)
    {
        var member = new DesignMember(connection);
        var session = sessions.Join(connection.Caller.OwnerId, sessionName, member);
        var answer = new PooledBuffer();
        try
        {
            while (firstIsRead || await connection.ReceiveAsync() == SocketRead.Message)
            {
                firstIsRead = false;
                switch (Answer(connection.Message.Span, answer))
                {
                    case Reply.NotJson:
                        await connection.CloseAsync(WebSocketCloseStatus.InvalidMessageType, "Only JSON text is understood");
                        break;
                    case Reply.Auth:
                        await handshake.AnswerAsync(connection);
                        break;
                    case Reply.Result:
                        session.Share(member, answer.Written);
                        await connection.SendAsync(answer.Written);
                        break;
                    default:
                        await connection.SendAsync(answer.Written);
                        break;
                }

                answer.Clear();
            }
        }
        finally
        {
            answer.Clear();
            sessions.Leave(session, member);
        }
    }

    private enum Reply
    {
        NotJson,
        Auth,
        Result,
        Other,
    }

    private Reply Answer(ReadOnlySpan<byte> text, PooledBuffer output)
    {
        var started = time.GetTimestamp();
        if (!BeamMessage.TryRead(text, out var message))
        {
            return Reply.NotJson;
        }

        return message.Type == BeamMessageType.Auth ? Reply.Auth
            : LiveBeams.Answer(message, output, time, started) ? Reply.Result
            : Reply.Other;
    }
}
