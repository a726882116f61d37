using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lintel.Features.Files.Tus;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Lintel.Features.Files;

internal static class FileEndpoints
{
    // What a form has around its file.
    private const int FormOverhead = 64 * 1024;
    private const int MaxParts = 16;
    private const int MaxBoundary = 70;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<FilesOptions>();
        var files = routes.MapGroup("/api/files").WithTags("Files").RequireCaller(Scopes.Files);
        files.MapPost("upload", UploadAsync).WithName("UploadFile").WithSummary("Upload a file")
            .WithDescription(
                "The part `file` of a form, stored while it comes in. Its content must be what its type and its name say. For large files, and over connections that break, "
                + "there is the resumable upload, `/api/files/tus`.")
            .Accepts<FileForm>("multipart/form-data").MaxBody(options.MaxFormFile + FormOverhead).RateLimited()
            .DescribeResponse(201, "The file is stored.", ("Location", "The file: `/api/files/{id}`."));
        files.MapGet("list", ListAsync).WithName("ListFiles").WithSummary("List your files, newest first");
        files.MapGet("{id:guid}", GetAsync).WithName("GetFile").WithSummary("Get a file, or a part of it")
            .WithDescription("Always with `nosniff` and without a right to run anything. Pictures and plain text are shown by browsers, everything else is saved.")
            .Produces<BinaryContent>(StatusCodes.Status200OK, ContentTypes.Unknown).ProducesErrors(404)
            .DescribeHeader("Range", "`bytes=0-99`, `bytes=100-` or `bytes=-100`: one part of the file.")
            .DescribeHeader("If-Range", "An `ETag` that you have the beginning of: where it is not the file's, all of it comes.")
            .DescribeHeader("If-None-Match", "An `ETag` that you have: where it is the file's, the answer is 304 and has no body.")
            .DescribeResponse(200, "The file.", ("ETag", "The file's SHA-256."), ("Content-Disposition", "`inline` or `attachment`, and the file's name."))
            .DescribeResponse(206, "The part that `Range` asked for.", ("Content-Range", "Where it is in the file."))
            .DescribeResponse(304, "You have it.")
            .DescribeResponse(416, "There is no such part.", ("Content-Range", "The file's length."));
        files.MapDelete("{id:guid}", DeleteAsync).WithName("DeleteFile").WithSummary("Delete a file").ProducesErrors(404).RateLimited()
            .DescribeResponse(204, "The file is gone.");
        routes.MapTus();
    }

    private static async Task<Results<Created<FileView>, ErrorResult>> UploadAsync(
        HttpContext context, Caller caller, FileUploads uploads, FileTable table, FilesOptions options, ConnectionPlaces places, TimeOrderedIds ids)
    {
        if (!places.TryTake(context, caller.OwnerId))
        {
            return ApiErrors.TooManyConnections(places.OwnerRefusal);
        }

        if (context.Request.ContentLength > options.MaxFormFile + FormOverhead)
        {
            return FileErrors.TooLarge(options.MaxFormFile);
        }

        try
        {
            if (await FindFileAsync(context) is not { } part)
            {
                return ApiErrors.Invalid("file", "This field is required: a file in a multipart/form-data form.");
            }

            var file = new NewFile(ids.Next(), caller.OwnerId, FileNames.Clean(NameOf(part)), part.ContentType);
            var result = await uploads.SaveAsync(file, part.Body, options.MaxFormFile, context.RequestAborted);
            return result.File is { } stored
                ? TypedResults.Created($"/api/files/{stored.Id}", FileView.From(stored))
                : await FileErrors.OfAsync(result, options.MaxFormFile, caller.OwnerId, table, options, context.RequestAborted);
        }
        catch (Exception failure) when (failure is InvalidDataException || (failure is IOException and not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested))
        {
            // The end of the form is missing, or what lies between its parts is none of a form's.
            throw new BadHttpRequestException("The form could not be read.", StatusCodes.Status400BadRequest, failure as InvalidDataException ?? new InvalidDataException(null, failure));
        }
    }

    private static async Task<Results<Ok<FileList>, ErrorResult>> ListAsync(
        Caller caller,
        FileTable table,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many files a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        long? before = null;
        if (after is not null)
        {
            if (!long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = number;
        }

        // One more than asked for tells whether there is a next page.
        var files = await table.ListAsync(caller.OwnerId, before, limit + 1, cancellationToken);
        var page = files.Take(limit).ToList();
        return TypedResults.Ok(new FileList([.. page.Select(FileView.From)], files.Count > limit ? page[^1].Number.ToString(CultureInfo.InvariantCulture) : null));
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext context, Caller caller, FileTable table, FileDownloads downloads, ConnectionPlaces places)
    {
        if (await table.FindAsync(id, caller.OwnerId, context.RequestAborted) is not { } file)
        {
            return FileErrors.NotFound();
        }

        return places.TryTake(context, caller.OwnerId) ? await downloads.ServeAsync(context, file) : ApiErrors.TooManyConnections(places.OwnerRefusal);
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteAsync(Guid id, Caller caller, FileTable table, FileUploads uploads, CancellationToken cancellationToken)
    {
        if (await table.DeleteAsync(id, caller.OwnerId, isReady: true, cancellationToken) is not { } deleted)
        {
            return FileErrors.NotFound();
        }

        // A crash here leaves a row that nobody sees; the worker removes the bytes, and then the row.
        await uploads.RemoveAsync(deleted);
        return TypedResults.NoContent();
    }

    /// <summary>The form's part <c>file</c>; null where it has none.</summary>
    private static async Task<MultipartSection?> FindFileAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            throw new BadHttpRequestException("The content type must be multipart/form-data.", StatusCodes.Status415UnsupportedMediaType);
        }

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is 0 or > MaxBoundary)
        {
            throw new InvalidDataException("The boundary is missing or too long.");
        }

        var reader = new MultipartReader(boundary, context.Request.Body);
        for (var parts = 0; parts < MaxParts && await reader.ReadNextSectionAsync(context.RequestAborted) is { } part; parts++)
        {
            if (part.GetContentDispositionHeader() is { } disposition && HeaderUtilities.RemoveQuotes(disposition.Name) == "file" && disposition.IsFileDisposition())
            {
                return part;
            }
        }

        return null;
    }

    private static string? NameOf(MultipartSection part)
    {
        var disposition = part.GetContentDispositionHeader()!;
        var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
        return HeaderUtilities.RemoveQuotes(name).Value;
    }
}
