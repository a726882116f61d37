using System.IO.Pipelines;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Lintel.Platform.Http;

/// <summary>
/// An answer of JSON lines of any length, in constant memory: what was written goes out before more is read, and a reader that takes nothing for a while is left.
/// </summary>
internal sealed class JsonLinesResponse
{
    private const int FlushBytes = 32 * 1024;

    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(30);

    private readonly HttpContext _context;
    private readonly PipeWriter _body;
    private readonly TimeProvider _time;

    private JsonLinesResponse(HttpContext context, TimeProvider time) => (_context, _body, _time) = (context, context.Response.BodyWriter, time);

    public static JsonLinesResponse Open(HttpContext context, string filename)
    {
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{filename}\"";

        // A reader that is slow on purpose is found by the deadline.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        return new(context, context.RequestServices.GetRequiredService<TimeProvider>());
    }

    /// <summary>Adds one line. JSON has no line breaks outside of its strings, and in them they are escaped.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> json)
    {
        var span = _body.GetSpan(json.Length + 1);
        json.Span.CopyTo(span);
        span[json.Length] = (byte)'\n';
        _body.Advance(json.Length + 1);
        if (_body.UnflushedBytes >= FlushBytes)
        {
            await FlushAsync();
        }
    }

    public async ValueTask FlushAsync()
    {
        using var late = new CancellationTokenSource(WriteDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _context.RequestAborted);
        try
        {
            await _body.FlushAsync(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            // The cut tells whoever reads that this is not all.
            _context.Abort();
            throw;
        }
    }
}
