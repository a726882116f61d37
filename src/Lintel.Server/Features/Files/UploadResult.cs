namespace Lintel.Features.Files;

/// <summary>Why an upload was not taken.</summary>
internal enum UploadRefusal
{
    None,

    /// <summary>It is longer than it may be, or than it was said to be.</summary>
    TooLarge,
    OverQuota,
    TooMany,

    /// <summary>Its content is not what it is said to be.</summary>
    WrongType,

    /// <summary>There is no such upload, or it was ended while it went on.</summary>
    NotFound,
    WrongOffset,

    /// <summary>Another request writes to it.</summary>
    Locked,

    /// <summary>What came is not what the checksum was made of.</summary>
    WrongChecksum,
}

/// <summary>What became of an upload.</summary>
/// <param name="File">The file as it is now, as far as it is known.</param>
/// <param name="Message">What is wrong, for people.</param>
internal readonly record struct UploadResult(StoredFile? File, UploadRefusal Refusal = UploadRefusal.None, string? Message = null);
