using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Platform.Http;

/// <summary>Bodies that a handler reads itself, because they are large or not one contract's.</summary>
internal static class RequestBody
{
    private const int FirstBuffer = 16 * 1024;

    /// <summary>The whole JSON body. Its size is bounded by the route.</summary>
    /// <exception cref="BadHttpRequestException">The content type is not JSON, or the body is too large.</exception>
    public static async Task<byte[]> ReadJsonAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException("The content type must be application/json.", StatusCodes.Status415UnsupportedMediaType);
        }

        // The length that a client claims is believed only as far as the bytes have come.
        var body = new ArrayBufferWriter<byte>(FirstBuffer);
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            foreach (var segment in result.Buffer)
            {
                body.Write(segment.Span);
            }

            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return body.WrittenSpan.ToArray();
            }
        }
    }

    /// <summary>Lets <paramref name="read"/> look at JSON; what is malformed becomes the contract's 422.</summary>
    public static T Parse<T>(byte[] body, Func<ReadOnlyMemory<byte>, T> read)
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

    private sealed record SizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
