using System.Text.Json.Nodes;
using Lintel.Platform.Errors;

namespace Lintel.Features.Files;

/// <summary>What clients are told whose files are not taken or found.</summary>
internal static class FileErrors
{
    private const int Megabyte = 1024 * 1024;

    public static ErrorResult NotFound() => ApiErrors.NotFound("You have no file of this id.");

    public static ErrorResult NoUpload() => ApiErrors.NotFound("You have no upload of this id; it may have expired. Begin a new one.");

    public static ErrorResult TooLarge(long limit) => new(
        413, ErrorCodes.PayloadTooLarge, $"The file is too large: at most {limit / Megabyte} MB are taken here.")
    { Details = new() { ["limit_bytes"] = limit } };

    /// <param name="limit">The most that a file may have that comes in this way.</param>
    public static async Task<ErrorResult> OfAsync(UploadResult result, long limit, long userId, FileTable table, FilesOptions options, CancellationToken cancellationToken) => result.Refusal switch
    {
        UploadRefusal.TooLarge => TooLarge(limit),
        UploadRefusal.OverQuota => OverQuota(options.Quota, await table.UsedAsync(userId, cancellationToken)),
        UploadRefusal.TooMany => new(413, ErrorCodes.PayloadTooLarge, $"You have {options.MaxFiles} files and unfinished uploads, as many as one account may; delete some first.")
        {
            Details = new() { ["limit_files"] = options.MaxFiles },
        },
        UploadRefusal.WrongType => new(415, ErrorCodes.UnsupportedMediaType, result.Message!),
        UploadRefusal.WrongOffset => ApiErrors.Conflict($"The upload is at offset {result.File!.Received}; go on from there.", new() { ["offset"] = result.File.Received }),
        UploadRefusal.Locked => new(423, ErrorCodes.Conflict, "Another request is writing to this upload; ask for its offset when that one has ended."),
        UploadRefusal.WrongChecksum => new(460, ErrorCodes.Conflict, "What arrived is not what Upload-Checksum was made of. Nothing of it was kept; send it again."),
        _ => NoUpload(),
    };

    private static ErrorResult OverQuota(long quota, long used) => new(
        413, ErrorCodes.PayloadTooLarge, $"Your files may take {quota / Megabyte} MB together, and there is not that much left; delete some first.")
    {
        Details = new JsonObject { ["quota_bytes"] = quota, ["used_bytes"] = used },
    };
}
