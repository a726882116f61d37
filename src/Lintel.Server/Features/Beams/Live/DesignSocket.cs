using System.Net.WebSockets;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Beams.Live;

/// <summary>Serves one socket of a live design session: a message in, its answer out, at once.</summary>
internal sealed class DesignSocket(SocketHandshake handshake, DesignSessions sessions, TimeProvider time)
{
    private const int MaxSessionName = 128;

    private enum Reply
    {
        NotJson,
        Auth,
        Result,
        Other,
    }

    /// <summary>A live session: a message in, its answer out. Sockets of one owner in one session see each other's results.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["session_id"]!;
        if (name.Length > MaxSessionName)
        {
            await ErrorWriter.WriteAsync(context, ApiErrors.NotFound("A session's name has at most 128 characters."));
            return;
        }

        using var connection = await handshake.AcceptAsync(context, Scopes.Design);
        if (connection is null)
        {
            return;
        }

        var member = new DesignMember(connection);
        var session = sessions.Join(connection.Caller.OwnerId, name, member);
        var answer = new PooledBuffer();
        try
        {
            while (connection.HasFirstMessage || await connection.ReceiveAsync() == SocketRead.Message)
            {
                connection.HasFirstMessage = false;
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
        catch
        {
            await connection.FailAsync();
            throw;
        }
        finally
        {
            answer.Clear();
            sessions.Leave(session, member);
        }
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
