using Lintel.Platform.Errors;

namespace Lintel.Features.Files.Storage;

/// <summary>Files cannot be stored or read now: the disk is full, or the store cannot be reached. The request can be made again later.</summary>
internal sealed class FileStorageException(string message, Exception? inner = null) : ServiceUnavailableException(message, inner);
