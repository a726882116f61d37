using System.Globalization;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Lintel.Features.Files.Tus;

/// <summary>The protocol tus 1.0.0 with the extensions <c>creation</c>, <c>creation-with-upload</c>, <c>termination</c>, <c>expiration</c> and <c>checksum</c>.</summary>
internal static class TusEndpoints
{
    private const string Protocol = "1.0.0";
    private const string Extensions = "creation,creation-with-upload,termination,expiration,checksum";
    private const string BodyType = "application/offset+octet-stream";
    private const string Path = "/api/files/tus";

    private const string Resumable = "Tus-Resumable";
    private const string Version = "Tus-Version";
    private const string UploadOffset = "Upload-Offset";
    private const string UploadLength = "Upload-Length";
    private const string UploadMetadataField = "Upload-Metadata";
    private const string UploadExpires = "Upload-Expires";
    private const string UploadChecksumField = "Upload-Checksum";
    private const string MethodOverride = "X-HTTP-Method-Override";
    private const string VersionMeaning = "The protocol's version: `1.0.0`.";
    private const string OffsetMeaning = "How much of the upload is stored.";
    private const string ExpiresMeaning = "When the upload is removed, unless more of it comes.";

    public static void MapTus(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<FilesOptions>();
        routes.MapMethods(Path, [HttpMethods.Options], Describe).WithTags("Files").WithName("DescribeUploads").WithSummary("Tell what resumable uploads can do here")
            .DescribeResponse(204, "See the header fields.", (Version, VersionMeaning), ("Tus-Extension", "What it can do beyond the core."), ("Tus-Max-Size", "The largest file in bytes."));
        var uploads = routes.MapGroup(Path).WithTags("Files").RequireCaller(Scopes.Files);
        uploads.MapPost("", CreateAsync).WithName("CreateUpload").WithSummary("Begin a resumable upload")
            .WithDescription(
                "Resumable uploads speak [tus 1.0](https://tus.io/protocols/resumable-upload), so use a client of it. The upload's id is that of the file, which is there as soon as "
                + "its last byte is. Room for all of it is taken when it begins.")
            .Accepts<BinaryContent>(BodyType).Produces(StatusCodes.Status201Created).MaxBody(options.MaxResumable).RateLimited().ProducesErrors(412)
            .DescribeHeader(Resumable, VersionMeaning).DescribeHeader(UploadLength, "The file's length in bytes.")
            .DescribeHeader(UploadMetadataField, "`filename` and `filetype`, each with its value in Base64, separated by commas.", UploadMetadata.MaxLength)
            .DescribeHeader(UploadChecksumField, "`sha1` or `sha256`, a space, and the checksum of the body in Base64.")
            .DescribeResponse(201, "The upload is begun; with a body, as much of it is stored as `Upload-Offset` says.", ("Location", $"The upload: `{Path}/{{id}}`."), (UploadOffset, OffsetMeaning), (UploadExpires, ExpiresMeaning));
        uploads.MapMethods("{id:guid}", [HttpMethods.Head], HeadAsync).WithName("GetUploadOffset").WithSummary("Tell how much of an upload is stored").ProducesErrors(404, 412)
            .DescribeHeader(Resumable, VersionMeaning)
            .DescribeResponse(200, null, (UploadOffset, OffsetMeaning), (UploadLength, "The file's length."), (UploadMetadataField, "As it was sent."), (UploadExpires, ExpiresMeaning));
        uploads.MapPatch("{id:guid}", ContinueAsync).WithName("ContinueUpload").WithSummary("Go on with an upload")
            .Accepts<BinaryContent>(BodyType).Produces(StatusCodes.Status204NoContent).MaxBody(options.MaxResumable).RateLimited(options.UploadRequests).ProducesErrors(404, 409, 412, 423, 460)
            .DescribeHeader(Resumable, VersionMeaning).DescribeHeader(UploadOffset, "Where the body goes on: what `HEAD` told.")
            .DescribeHeader(UploadChecksumField, "`sha1` or `sha256`, a space, and the checksum of the body in Base64.")
            .DescribeResponse(204, "All of the body is stored.", (UploadOffset, OffsetMeaning), (UploadExpires, ExpiresMeaning));
        uploads.MapDelete("{id:guid}", EndAsync).WithName("EndUpload").WithSummary("End an upload and remove what is stored of it").Produces(StatusCodes.Status204NoContent).RateLimited(options.UploadRequests).ProducesErrors(404, 412)
            .DescribeHeader(Resumable, VersionMeaning).DescribeResponse(204, "The upload is gone.");
        uploads.MapPost("{id:guid}", OverrideAsync).WithName("OverrideUploadMethod").WithSummary("PATCH or DELETE, for clients that can send neither")
            .Accepts<BinaryContent>(BodyType).Produces(StatusCodes.Status204NoContent).MaxBody(options.MaxResumable).RateLimited(options.UploadRequests).ProducesErrors(404, 405, 409, 412, 423, 460)
            .DescribeHeader(MethodOverride, "`PATCH` or `DELETE`.").DescribeResponse(204, "As that method has it.");
    }

    private static NoContent Describe(HttpContext context, FilesOptions options)
    {
        var headers = context.Response.Headers;
        headers[Resumable] = Protocol;
        headers[Version] = Protocol;
        headers["Tus-Extension"] = Extensions;
        headers["Tus-Max-Size"] = Text(options.MaxResumable);
        headers["Tus-Checksum-Algorithm"] = UploadChecksum.Algorithms;
        return TypedResults.NoContent();
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, Caller caller, ResumableUploads uploads, FileTable table, FilesOptions options, ConnectionPlaces places, TimeOrderedIds ids, TimeProvider time)
    {
        if (Refuse(context) is { } refusal)
        {
            return refusal;
        }

        if (ReadCount(context, UploadLength) is not { } length)
        {
            return ApiErrors.Invalid(UploadLength, "This field is required: the file's length in bytes.");
        }

        if (length > options.MaxResumable)
        {
            return FileErrors.TooLarge(options.MaxResumable);
        }

        var field = context.Request.Headers[UploadMetadataField].ToString();
        if (!UploadMetadata.TryParse(field, out var metadata))
        {
            return ApiErrors.Invalid(UploadMetadataField, "Must be names of visible ASCII characters, each with a space and a value in Base64 of UTF-8, separated by commas.");
        }

        var file = new NewFile(ids.Next(), caller.OwnerId, FileNames.Clean(metadata.Filename), ContentTypes.Normalize(metadata.ContentType));
        var room = await uploads.CreateAsync(file, length, field.Length == 0 ? null : field, context.RequestAborted);
        if (room != Reservation.Made)
        {
            return await FileErrors.OfAsync(new(null, FileUploads.Refusal(room)), options.MaxResumable, caller.OwnerId, table, options, context.RequestAborted);
        }

        context.Response.Headers.Location = $"{Path}/{file.Id}";
        context.Response.Headers[UploadExpires] = HeaderUtilities.FormatDate(time.GetUtcNow() + options.UploadsKept);
        if (length > 0 && context.Request.ContentType is null)
        {
            context.Response.Headers[UploadOffset] = "0";
            return TypedResults.StatusCode(StatusCodes.Status201Created);
        }

        return await AppendAsync(file.Id, 0, StatusCodes.Status201Created, context, caller, uploads, table, options, places);
    }

    private static async Task<IResult> HeadAsync(Guid id, HttpContext context, Caller caller, ResumableUploads uploads, FileTable table)
    {
        if (Refuse(context) is { } refusal)
        {
            return refusal;
        }

        if (await table.FindUploadAsync(id, caller.OwnerId, context.RequestAborted) is not { Size: >= 0 } file)
        {
            return FileErrors.NoUpload();
        }

        if (!file.IsReady && file.Received == file.Size && (await uploads.FinishAsync(file, context.RequestAborted)) is { Refusal: UploadRefusal.WrongType or UploadRefusal.NotFound })
        {
            return FileErrors.NoUpload();
        }

        var headers = context.Response.Headers;
        headers[UploadOffset] = Text(file.Received);
        headers[UploadLength] = Text(file.Size);
        if (file.Metadata is not null)
        {
            headers[UploadMetadataField] = file.Metadata;
        }

        if (file.ExpiresAt is { } expires)
        {
            headers[UploadExpires] = HeaderUtilities.FormatDate(expires);
        }

        return TypedResults.StatusCode(StatusCodes.Status200OK);
    }

    private static async Task<IResult> ContinueAsync(
        Guid id, HttpContext context, Caller caller, ResumableUploads uploads, FileTable table, FilesOptions options, ConnectionPlaces places)
    {
        if (Refuse(context) is { } refusal)
        {
            return refusal;
        }

        return ReadCount(context, UploadOffset) is { } offset
            ? await AppendAsync(id, offset, StatusCodes.Status204NoContent, context, caller, uploads, table, options, places)
            : ApiErrors.Invalid(UploadOffset, "This field is required: where the body goes on.");
    }

    private static async Task<IResult> EndAsync(Guid id, HttpContext context, Caller caller, FileTable table, FileUploads files)
    {
        if (Refuse(context) is { } refusal)
        {
            return refusal;
        }

        if (await table.DeleteAsync(id, caller.OwnerId, isReady: false, context.RequestAborted) is not { } deleted)
        {
            return FileErrors.NoUpload();
        }

        await files.RemoveAsync(deleted);
        return TypedResults.NoContent();
    }

    private static Task<IResult> OverrideAsync(
        Guid id, HttpContext context, Caller caller, ResumableUploads uploads, FileUploads files, FileTable table, FilesOptions options, ConnectionPlaces places) =>
        context.Request.Headers[MethodOverride].ToString().ToUpperInvariant() switch
        {
            "PATCH" => ContinueAsync(id, context, caller, uploads, table, options, places),
            "DELETE" => EndAsync(id, context, caller, table, files),
            _ => Task.FromResult<IResult>(ApiErrors.ForStatus(StatusCodes.Status405MethodNotAllowed)!),
        };

    private static async Task<IResult> AppendAsync(
        Guid id, long offset, int success, HttpContext context, Caller caller, ResumableUploads uploads, FileTable table, FilesOptions options, ConnectionPlaces places)
    {
        if (!places.TryTake(context, caller.OwnerId))
        {
            return ApiErrors.TooManyConnections(places.OwnerRefusal);
        }

        if (context.Request.ContentType is { } type ? type != BodyType : context.Request.ContentLength is not (null or 0))
        {
            return new ErrorResult(415, ErrorCodes.UnsupportedMediaType, $"The content type must be {BodyType}.");
        }

        if (!UploadChecksum.TryParse(context.Request.Headers[UploadChecksumField].ToString(), out var checksum))
        {
            return new ErrorResult(400, ErrorCodes.BadRequest, $"Upload-Checksum must have one of {UploadChecksum.Algorithms}, a space, and the checksum in Base64.");
        }

        var hasBody = context.Request.ContentLength != 0 && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;
        var result = await uploads.AppendAsync(id, caller.OwnerId, offset, hasBody ? context.Request.Body : null, checksum, context.RequestAborted);
        if (result.Refusal != UploadRefusal.None)
        {
            return await FileErrors.OfAsync(result, result.File?.Size ?? options.MaxResumable, caller.OwnerId, table, options, context.RequestAborted);
        }

        context.Response.Headers[UploadOffset] = Text(result.File!.Received);
        if (result.File.ExpiresAt is { } expires)
        {
            context.Response.Headers[UploadExpires] = HeaderUtilities.FormatDate(expires);
        }

        return TypedResults.StatusCode(success);
    }

    /// <summary>Every answer tells the version, and every request must be of it.</summary>
    private static ErrorResult? Refuse(HttpContext context)
    {
        context.Response.Headers[Resumable] = Protocol;
        if (context.Request.Headers[Resumable] == Protocol)
        {
            return null;
        }

        context.Response.Headers[Version] = Protocol;
        return new ErrorResult(412, ErrorCodes.BadRequest, "The field Tus-Resumable must be 1.0.0, the version of the protocol that is spoken here.");
    }

    private static long? ReadCount(HttpContext context, string field) =>
        long.TryParse(context.Request.Headers[field].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
