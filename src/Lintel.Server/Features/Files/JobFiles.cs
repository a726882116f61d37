using System.IO.Pipelines;
using Lintel.Features.Files.Storage;
using Lintel.Platform.Http;

namespace Lintel.Features.Files;

/// <summary>Files as jobs see them: those that people give them, and those that they make for people.</summary>
internal sealed class JobFiles(FileTable table, IFileStorage storage, FileUploads uploads, FilesOptions options, BodyBudget budget)
{
    // What is made of the content takes more than the content, but nobody's share.
    private const int MaxTaken = 16 * 1024 * 1024;

    /// <summary>Looks at the content of a person's file, which is then forgotten.</summary>
    /// <param name="mostBytes">The longest file that is looked at.</param>
    /// <returns>What <paramref name="read"/> makes of it; <paramref name="refuse"/>'s answer where there is no such file, or it is too long.</returns>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public async Task<T> ReadAsync<T>(Guid id, long userId, int mostBytes, Func<ReadOnlyMemory<byte>, T> read, Func<string, T> refuse, CancellationToken cancellationToken)
    {
        if (await table.FindAsync(id, userId, cancellationToken) is not { } file)
        {
            return refuse("You have no file of this id.");
        }

        if (file.Size > mostBytes)
        {
            return refuse($"The file has {file.Size} bytes; at most {mostBytes} are read.");
        }

        using var room = await budget.TakeAsync(userId, Math.Min(4 * (int)file.Size, MaxTaken), cancellationToken);
        var content = new byte[file.Size];
        if (content.Length > 0)
        {
            await using var stream = await storage.OpenReadAsync(id, 0, content.Length, cancellationToken);
            await stream.ReadExactlyAsync(content, cancellationToken);
        }

        return read(content);
    }

    /// <summary>Makes a file of what <paramref name="write"/> writes. It may be done again with the same id: then the file that is there is the answer.</summary>
    /// <exception cref="FileStorageException">The storage does not work now.</exception>
    public async Task<UploadResult> SaveAsync(NewFile file, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        if (await table.FindUploadAsync(file.Id, file.UserId, cancellationToken) is { } known)
        {
            if (known.IsReady)
            {
                return new(known);
            }

            // What an attempt left that ended in the middle.
            await uploads.RemoveAsync(await table.DeleteAsync(file.Id, file.UserId, isReady: false, cancellationToken));
        }

        var pipe = new Pipe();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = WriteAsync(pipe.Writer, write, over.Token);
        try
        {
            return await uploads.SaveAsync(file, pipe.Reader.AsStream(), options.MaxResumable, cancellationToken);
        }
        finally
        {
            // Where it was refused, nobody reads the rest.
            await over.CancelAsync();
            await pipe.Reader.CompleteAsync();
            await writing;
        }
    }

    private static async Task WriteAsync(PipeWriter output, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await write(output.AsStream(leaveOpen: true), cancellationToken);
            await output.CompleteAsync();
        }
        catch (Exception failure)
        {
            // The reader throws it.
            await output.CompleteAsync(failure);
        }
    }
}
