using System.Buffers;
using System.Globalization;
using Lintel.Features.Files.Storage;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Microsoft.Net.Http.Headers;

namespace Lintel.Features.Files;

/// <summary>Sends files as RFC 9110 has it: all of one, a part, or nothing to those who have it already. Content of people is never let run as a page of this server.</summary>
internal sealed class FileDownloads(IFileStorage storage, TimeProvider time)
{
    // Kestrel's own limit does not end a reader that takes nothing at all.
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(30);

    public async Task<IResult> ServeAsync(HttpContext context, StoredFile file)
    {
        var request = context.Request;
        var response = context.Response;
        SetHeaders(response.Headers, file);
        if (EntityTags.Match(request, file.ETag))
        {
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        if (request.Headers.IfMatch.Count > 0 && !Matches(request.Headers.IfMatch, file))
        {
            return new ErrorResult(412, ErrorCodes.BadRequest, "The file is not the one that If-Match names.");
        }

        var (from, length) = (0L, file.Size);
        if (AsksForRange(request, file) is { } range)
        {
            if (Locate(range, file.Size) is not { } part)
            {
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Size}");
                return new ErrorResult(416, ErrorCodes.BadRequest, $"The file has {file.Size} bytes; there is no such part.");
            }

            (from, length) = part;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{from + length - 1}/{file.Size}");
        }

        response.ContentLength = length;
        if (length > 0 && !HttpMethods.IsHead(request.Method))
        {
            await SendAsync(context, file, from, length);
        }

        return TypedResults.Empty;
    }

    private async Task SendAsync(HttpContext context, StoredFile file, long from, long length)
    {
        await using var content = await storage.OpenReadAsync(file.Id, from, length, context.RequestAborted);
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var stalled = late.Token.Register(context.Abort);
        var buffer = ArrayPool<byte>.Shared.Rent(FileUploads.BufferSize);
        try
        {
            while (length > 0)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), context.RequestAborted);
                if (read == 0)
                {
                    throw new FileStorageException("The file is shorter in the storage than it should be.");
                }

                late.CancelAfter(WriteDeadline);
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                late.CancelAfter(Timeout.InfiniteTimeSpan);
                length -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void SetHeaders(IHeaderDictionary headers, StoredFile file)
    {
        headers.ETag = file.ETag;
        headers.AcceptRanges = "bytes";
        headers.LastModified = HeaderUtilities.FormatDate(file.CreatedAt);
        headers.ContentType = ContentTypes.IsText(file.ContentType) ? file.ContentType + "; charset=utf-8" : file.ContentType;
        var disposition = new ContentDispositionHeaderValue(ContentTypes.IsShownInline(file.ContentType) ? "inline" : "attachment");
        disposition.SetHttpFileName(file.Filename);
        headers.ContentDisposition = disposition.ToString();

        // Should a browser show it after all, it is a page without scripts, forms, or an origin.
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

        // Its owner may keep it, and asks each time whether it is still there.
        headers.CacheControl = "private, no-cache";
    }

    /// <summary>The one part that is asked for; null where all of the file is to be sent, as for several parts or units that nobody knows.</summary>
    private static RangeItemHeaderValue? AsksForRange(HttpRequest request, StoredFile file) =>
        HttpMethods.IsGet(request.Method)
        && RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var ranges)
        && ranges.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
        && ranges.Ranges.Count == 1
        && (request.Headers.IfRange.Count == 0 || request.Headers.IfRange == file.ETag)
            ? ranges.Ranges.First()
            : null;

    /// <summary>Where the part is; null where there is nothing of it.</summary>
    private static (long From, long Length)? Locate(RangeItemHeaderValue range, long size)
    {
        if (range.From is not { } from)
        {
            var last = Math.Min(range.To!.Value, size);
            return last == 0 ? null : (size - last, last);
        }

        return from >= size ? null : (from, Math.Min(range.To ?? long.MaxValue, size - 1) - from + 1);
    }

    /// <summary>As RFC 9110 compares for <c>If-Match</c>: a weak tag is none.</summary>
    private static bool Matches(Microsoft.Extensions.Primitives.StringValues header, StoredFile file) =>
        EntityTagHeaderValue.TryParseList(header, out var tags) && tags.Any(tag => tag.Tag == "*" || (tag.Tag == file.ETag && !tag.IsWeak));
}
