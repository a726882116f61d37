using System.IO.Pipelines;
using System.Text.Json;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Platform.Http;

/// <summary>Bodies that a handler reads itself, because they are large or not one contract's.</summary>
internal static class RequestBody
{
    private const int FirstBuffer = 16 * 1024;

    /// <summary>What holds a part of the budget must come in this time; Kestrel alone would take days of a trickle.</summary>
    private static readonly TimeSpan LargeBodyDeadline = TimeSpan.FromMinutes(2);

    /// <summary>Lets <paramref name="read"/> look at the JSON body, which is then forgotten; what is malformed becomes a 422.</summary>
    /// <exception cref="BadHttpRequestException">The content type is not JSON, the body is too large, or it is malformed.</exception>
    public static async Task<T> ReadJsonAsync<T>(HttpContext context, Func<ReadOnlyMemory<byte>, T> read)
    {
        using var body = await HoldJsonAsync(context);
        return Parse(body.Bytes, read);
    }

    /// <summary>The whole JSON body. Its size is bounded by the route, and that of all large ones together by the <see cref="BodyBudget"/>.</summary>
    /// <param name="arrived">Sees, piece by piece, all of the body that has come so far.</param>
    /// <exception cref="BadHttpRequestException">The content type is not JSON, or the body is too large.</exception>
    /// <exception cref="Errors.ServiceUnavailableException">There is no room for it now.</exception>
    public static async Task<HeldBody> HoldJsonAsync(HttpContext context, Action<ReadOnlySpan<byte>>? arrived = null)
    {
        if (!context.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException("The content type must be application/json.", StatusCodes.Status415UnsupportedMediaType);
        }

        var body = new HeldBody { Arrived = arrived };
        try
        {
            await ReadAsync(context, body);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Takes a body that nobody looks at: a client that is still sending it may not read what it is answered.</summary>
    /// <exception cref="BadHttpRequestException">The body is too large, or comes too slowly.</exception>
    public static Task SkipAsync(HttpContext context) => InTimeAsync(context, async cancellationToken =>
    {
        var reader = context.Request.BodyReader;
        ReadResult result;
        do
        {
            result = await ReadPieceAsync(reader, context, cancellationToken);
            reader.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
    });

    /// <summary>Lets <paramref name="read"/> look at JSON; what is malformed becomes a 422.</summary>
    public static T Parse<T>(ReadOnlyMemory<byte> body, Func<ReadOnlyMemory<byte>, T> read)
    {
        try
        {
            return read(body);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // The reader's InvalidOperationException means text that no string can hold: bad UTF-8, half a surrogate pair.
            throw new BadHttpRequestException("The body is not valid JSON.", StatusCodes.Status400BadRequest, failure as JsonException ?? new JsonException(null, failure));
        }
    }

    /// <summary>Sets how large a body this route takes.</summary>
    public static TBuilder MaxBody<TBuilder>(this TBuilder builder, long bytes)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SizeLimit(bytes));

    private static async Task ReadAsync(HttpContext context, HeldBody body)
    {
        var limit = (int)Math.Min(context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? int.MaxValue, Array.MaxLength);
        var length = context.Request.ContentLength;
        if (length > limit)
        {
            throw new BadHttpRequestException("The request body is too large.", StatusCodes.Status413PayloadTooLarge);
        }

        // Of a length that is told, all the room at once: no copy is made, and none waits for room in the middle of what others wait for.
        var budget = context.RequestServices.GetRequiredService<BodyBudget>();
        await body.ReserveAsync((int)(length ?? FirstBuffer), budget, OwnerOf(context), context.RequestAborted);
        if (length <= BodyBudget.Uncounted)
        {
            await FillAsync(context, body, budget, limit, context.RequestAborted);
            return;
        }

        await InTimeAsync(context, cancellationToken => FillAsync(context, body, budget, limit, cancellationToken));
    }

    private static async Task InTimeAsync(HttpContext context, Func<CancellationToken, Task> read)
    {
        using var late = new CancellationTokenSource(LargeBodyDeadline, context.RequestServices.GetRequiredService<TimeProvider>());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            await read(either.Token);
        }
        catch (OperationCanceledException failure) when (late.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The request body came too slowly.", StatusCodes.Status408RequestTimeout, failure);
        }
    }

    private static async Task FillAsync(HttpContext context, HeldBody body, BodyBudget budget, int limit, CancellationToken cancellationToken)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await ReadPieceAsync(reader, context, cancellationToken);
            var buffer = result.Buffer;
            if (buffer.Length > body.Room)
            {
                // Chunks, whose sum nobody told.
                await body.ReserveAsync((int)Math.Min(Math.Max(body.Capacity * 2L, body.Bytes.Length + buffer.Length), limit), budget, OwnerOf(context), cancellationToken);
            }

            foreach (var segment in buffer)
            {
                body.Add(segment.Span);
            }

            reader.AdvanceTo(buffer.End);
            body.Arrived?.Invoke(body.Bytes.Span);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private static async ValueTask<ReadResult> ReadPieceAsync(PipeReader reader, HttpContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken);
        }
        catch (IOException failure) when (failure is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            // What Kestrel throws for some malformed chunks.
            throw new BadHttpRequestException("The request body is malformed.", StatusCodes.Status400BadRequest, failure);
        }
    }

    // Nobody's bodies are small: the routes that need no caller take no large ones.
    private static long OwnerOf(HttpContext context) => context.Features.Get<Caller>()?.OwnerId ?? 0;

    private sealed record SizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
