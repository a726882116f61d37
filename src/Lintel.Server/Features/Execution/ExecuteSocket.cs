using System.Net.WebSockets;
using System.Text.Json;
using Lintel.Platform.Errors;
using Lintel.Platform.Json;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Lintel.Sandbox;

namespace Lintel.Features.Execution;

/// <summary>Opens a socket for one program: finds out whose it is and what to run, refuses what cannot be run, and submits the rest.</summary>
internal sealed class ExecuteSocket(SocketHandshake handshake, JobTokens tokens, ExecutionSandbox sandbox, Executions executions, ExecuteSession sessions)
{
    private const string Execute = "execute";
    private const string Unavailable = "Service unavailable";

    /// <summary>Code and files; larger programs go through <c>POST /api/execute</c> or <c>POST /api/jobs</c>.</summary>
    private const int MaxMessage = 1024 * 1024;

    private static readonly TerminalSize StandardTerminal = new(80, 24);

    public async Task ServeAsync(HttpContext context)
    {
        Guid? granted = null;
        var greeting = new SocketGreeting(Execute, "API key is required", async message =>
        {
            var (jobId, token) = ReadGrant(message);
            if (jobId is null || token is null)
            {
                return CallerResult.Missing;
            }

            granted = jobId;
            return await tokens.RedeemAsync(jobId.Value, token);
        });
        using var connection = await handshake.AcceptAsync(context, Scopes.Execute, MaxMessage, greeting);
        if (connection is null)
        {
            return;
        }

        try
        {
            if (await ReceiveExecuteAsync(connection, greeting) && await ReadAsync(connection) is { } execution)
            {
                await ServeAsync(connection, execution, granted ?? executions.NewJobId());
            }
        }
        catch
        {
            await connection.FailAsync();
            throw;
        }
    }

    /// <summary>Waits for the message that says what to run; new credentials may come before it.</summary>
    private async ValueTask<bool> ReceiveExecuteAsync(SocketConnection connection, SocketGreeting greeting)
    {
        while (connection.HasFirstMessage || await handshake.ReceiveFirstAsync(connection) == SocketRead.Message)
        {
            connection.HasFirstMessage = false;
            switch (SocketEnvelope.Read(connection.Message.Span))
            {
                case null or { Type: "auth" }:
                    await handshake.AnswerAsync(connection);
                    break;
                case { Type: Execute }:
                    return true;
                default:
                    await connection.RefuseAsync(greeting.WrongType);
                    return false;
            }
        }

        return false;
    }

    /// <summary>The program; null when the client was told why there is none.</summary>
    private async ValueTask<ExecutionRequest?> ReadAsync(SocketConnection connection)
    {
        var errors = default(FieldErrors);
        var execution = ExecutionRequest.Read(connection.Message, StandardTerminal, ref errors);
        if (execution is null)
        {
            await RefuseAsync(connection, Explain(errors), errors);
            return null;
        }

        try
        {
            await sandbox.GetAsync(CancellationToken.None);
        }
        catch (ServiceUnavailableException outage)
        {
            await connection.SendErrorAsync(outage.Message);
            await connection.CloseAsync(WebSocketCloseStatus.InternalServerError, Unavailable);
            return null;
        }

        if (sandbox.WhyNot(execution.Language) is { } why)
        {
            errors.Add("language", why);
            await RefuseAsync(connection, why, errors);
            return null;
        }

        return execution;
    }

    private async Task ServeAsync(SocketConnection connection, ExecutionRequest execution, Guid jobId)
    {
        try
        {
            await sessions.RunAsync(connection, execution, jobId);
        }
        catch (ServiceUnavailableException outage)
        {
            await connection.SendErrorAsync(outage.Message);
            await connection.CloseAsync(WebSocketCloseStatus.InternalServerError, Unavailable);
        }
    }

    private static async ValueTask RefuseAsync(SocketConnection connection, string message, FieldErrors errors)
    {
        var error = JsonSerializer.SerializeToUtf8Bytes(new SocketError(message, errors.ToDictionary()), SocketsJson.Default.SocketError);
        await connection.SendAsync((byte[])[.. "{\"type\":\"error\","u8, .. error.AsSpan(1)]);
        await connection.CloseAsync(WebSocketCloseStatus.NormalClosure, "Refused");
    }

    /// <summary>In the words that older clients look for, where there are such.</summary>
    private static string Explain(in FieldErrors errors)
    {
        foreach (var error in errors.All)
        {
            if (error is { Field: "code" or "language" } && error.Message.StartsWith("This field is required", StringComparison.Ordinal))
            {
                return "Code and language are required";
            }

            if (error is { Field: "language" })
            {
                return error.Message;
            }
        }

        return string.Join("; ", errors.ToDictionary().Select(static field => $"{field.Key}: {string.Join(' ', field.Value)}"));
    }

    private static (Guid? JobId, string? Token) ReadGrant(ReadOnlyMemory<byte> message)
    {
        using var document = JsonDocument.Parse(message);
        var errors = default(FieldErrors);
        var reader = new ObjectReader(document.RootElement, "");
        return (Guid.TryParse(reader.Text("job_id", ref errors), out var id) ? id : null, reader.Text("job_token", ref errors));
    }
}
