using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Lintel.Platform.Errors;

/// <summary>Writes an error in the form that the client asked for: <see cref="ErrorEnvelope"/>, or RFC 9457.</summary>
internal static class ErrorWriter
{
    private const string ProblemType = "application/problem+json";

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with <paramref name="error"/>. A response that has begun is cut off instead, so that nobody takes it for whole.</summary>
    public static Task WriteAsync(HttpContext context, ErrorResult error)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        var range = response.Headers.ContentRange;
        ForgetContent(response.Headers);
        if (error.Status == StatusCodes.Status416RangeNotSatisfiable)
        {
            // Of this error alone it is a part: how long the thing is.
            response.Headers.ContentRange = range;
        }

        response.StatusCode = error.Status;
        response.Headers.CacheControl = "no-store";
        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (error.Status == StatusCodes.Status413PayloadTooLarge && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            // The rest of the body is not read, so the connection ends: a client that was not told would send its next request into it.
            response.Headers.Connection = "close";
        }

        if (error.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        var body = new ArrayBufferWriter<byte>(256);
        var asProblem = PrefersProblem(context.Request.Headers);
        using (var json = new Utf8JsonWriter(body, WriterOptions))
        {
            if (asProblem)
            {
                WriteProblem(json, error, context.TraceIdentifier);
            }
            else
            {
                WriteEnvelope(json, error, context.TraceIdentifier);
            }
        }

        response.ContentType = asProblem ? ProblemType : "application/json";
        response.ContentLength = body.WrittenCount;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }

    private static void WriteEnvelope(Utf8JsonWriter json, ErrorResult error, string requestId)
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("code", error.Code);
        json.WriteString("message", error.Message);
        WriteDetails(json, error);
        json.WriteEndObject();
        json.WriteString("request_id", requestId);
        json.WriteEndObject();
    }

    private static void WriteProblem(Utf8JsonWriter json, ErrorResult error, string requestId)
    {
        json.WriteStartObject();
        json.WriteString("type", "urn:lintel:error:" + error.Code);
        json.WriteString("title", ReasonPhrases.GetReasonPhrase(error.Status));
        json.WriteNumber("status", error.Status);
        json.WriteString("detail", error.Message);
        json.WriteString("code", error.Code);
        json.WriteString("request_id", requestId);
        WriteDetails(json, error);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, ErrorResult error)
    {
        json.WritePropertyName("details");
        if (error.Details is { } details)
        {
            details.WriteTo(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
    }

    /// <summary>What described a body that will not be sent now must go; what describes the response (limits, request id, CORS) stays.</summary>
    private static void ForgetContent(IHeaderDictionary headers)
    {
        headers.ContentLength = null;
        headers.ContentType = default;
        headers.ContentEncoding = default;
        headers.ContentDisposition = default;
        headers.ContentRange = default;
        headers.ContentLanguage = default;
        headers.AcceptRanges = default;
        headers.ETag = default;
        headers.LastModified = default;
        headers.Expires = default;
        headers.Location = default;
        headers.SetCookie = default;
    }

    private static bool PrefersProblem(IHeaderDictionary headers)
    {
        var accept = headers.Accept;
        if (accept.Count == 0 || !accept.ToString().Contains("problem+json", StringComparison.OrdinalIgnoreCase)
            || !MediaTypeHeaderValue.TryParseList(accept, out var types))
        {
            return false;
        }

        double problem = 0, plain = 0;
        foreach (var type in types)
        {
            if (type.MediaType.Equals(ProblemType, StringComparison.OrdinalIgnoreCase))
            {
                problem = type.Quality ?? 1;
            }
            else if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            {
                plain = type.Quality ?? 1;
            }
        }

        return problem > 0 && problem >= plain;
    }
}
