using System.Net.WebSockets;
using Lintel.Platform.Errors;
using Lintel.Platform.Storage;
using Lintel.Platform.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Platform.Http;

/// <summary>
/// The outermost middleware: request id, access log, security headers, and the error for whatever went wrong inside.
/// One instead of five, since every asynchronous middleware is memory that each open socket holds.
/// </summary>
internal sealed partial class RequestBoundary(
    RequestDelegate next, RootServices services, ILoggerFactory loggers, TimeProvider time, ForwardedClient client, IHostApplicationLifetime lifetime)
{
    /// <summary>As other servers log it: the client went away before the answer.</summary>
    private const int ClientClosedRequest = 499;

    private static readonly Func<AccessLine, Exception?, string> AccessMessage = static (line, _) => line.Message;

    private readonly ILogger _access = loggers.CreateLogger("app.access");
    private readonly ILogger _errors = loggers.CreateLogger("app.errors");

    public async Task InvokeAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        Begin(context);

        int status;
        try
        {
            await next(context);
            status = context.Response.StatusCode;
            if (status >= StatusCodes.Status400BadRequest && LacksBody(context.Response))
            {
                await ExplainAsync(context, status);
                status = context.Response.StatusCode;
            }
        }
        catch (Exception failure)
        {
            status = await FailAsync(context, failure);
        }

        LogFinished(context, status, started);
    }

    private void Begin(HttpContext context)
    {
        var id = RequestId.For(context.Request.Headers[RequestId.HeaderName]);
        context.TraceIdentifier = id;
        context.Features.Set<IServiceProvidersFeature>(services);

        // Undone when InvokeAsync returns, as all changes to the execution context are.
        RequestId.Current = id;

        var headers = context.Response.Headers;
        headers[RequestId.HeaderName] = id;
        SecurityHeaders.Apply(headers, client.IsHttps(context));

        if (_access.IsEnabled(LogLevel.Information))
        {
            var line = new AccessLine(id, context.Request.Method, context.Request.Path.Value ?? "");
            _access.Log(LogLevel.Information, default, line, null, AccessMessage);
        }
    }

    private void LogFinished(HttpContext context, int status, long started)
    {
        // A client that left is no fault of anyone's.
        var level = status switch
        {
            ClientClosedRequest => LogLevel.Information,
            >= 500 => LogLevel.Error,
            >= 400 => LogLevel.Warning,
            _ => LogLevel.Information,
        };
        if (_access.IsEnabled(level))
        {
            var line = new AccessLine(
                context.TraceIdentifier, context.Request.Method, context.Request.Path.Value ?? "", status, time.GetElapsedTime(started).TotalMilliseconds);
            _access.Log(level, default, line, null, AccessMessage);
        }
    }

    private static bool LacksBody(HttpResponse response) =>
        !response.HasStarted && response.ContentLength is null && string.IsNullOrEmpty(response.ContentType);

    /// <summary>Routing and the framework refuse with a bare status; clients get the envelope.</summary>
    private static Task ExplainAsync(HttpContext context, int status)
    {
        if (HttpMethods.IsOptions(context.Request.Method) && status == StatusCodes.Status405MethodNotAllowed)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            context.Response.Headers.Allow = $"{context.Response.Headers.Allow}, OPTIONS";
            return Task.CompletedTask;
        }

        var error = status == StatusCodes.Status400BadRequest ? ParameterErrors.Find(context) : null;
        error ??= ApiErrors.ForStatus(status);
        return error is null ? Task.CompletedTask : ErrorWriter.WriteAsync(context, error);
    }

    /// <summary>Answers for an exception, and returns the status to log.</summary>
    private async Task<int> FailAsync(HttpContext context, Exception failure)
    {
        // Reading from or writing to a client that is gone fails in many ways; none is news.
        if (failure is OperationCanceledException or IOException or WebSocketException && context.RequestAborted.IsCancellationRequested)
        {
            return ClientClosedRequest;
        }

        if (failure is OperationCanceledException && lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return await AnswerAsync(context, ApiErrors.ServiceUnavailable("The server is going away; try again."));
        }

        var error = ExceptionTranslation.Translate(failure);
        if (error is null)
        {
            Log.Unhandled(_errors, failure, context.Request.Method, context.Request.Path.Value);
            error = ApiErrors.Internal();
        }
        else if (failure is ServiceUnavailableException and not StorageUnavailableException)
        {
            // A bound that was reached, by one client's doing perhaps: whoever fills a queue must not fill the log too.
            Log.Refused(_errors, context.Request.Method, context.Request.Path.Value, failure.Message);
        }
        else if (error.Status >= StatusCodes.Status500InternalServerError)
        {
            Log.Unavailable(_errors, failure, context.Request.Method, context.Request.Path.Value);
        }

        return await AnswerAsync(context, error);
    }

    private static async Task<int> AnswerAsync(HttpContext context, ErrorResult error)
    {
        if (context.Response.HasStarted)
        {
            // What was sent cannot be taken back. The cut tells the client that it has not got everything.
            context.Abort();
            return error.Status;
        }

        try
        {
            await ErrorWriter.WriteAsync(context, error);
        }
        catch (Exception lost) when (lost is OperationCanceledException or IOException)
        {
            return ClientClosedRequest;
        }

        return error.Status;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed.")]
        public static partial void Unhandled(ILogger logger, Exception failure, string method, string? path);

        [LoggerMessage(2, LogLevel.Error, "{Method} {Path} could not be served.")]
        public static partial void Unavailable(ILogger logger, Exception failure, string method, string? path);

        [LoggerMessage(3, LogLevel.Warning, "{Method} {Path} was refused: {Reason}")]
        public static partial void Refused(ILogger logger, string method, string? path, string reason);
    }
}
