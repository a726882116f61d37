using System.Text.Json;
using Lintel.Features.Files.Storage;
using Lintel.Platform.Errors;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Files;

/// <summary>A person's files: what is known of them, and what is stored. Their contents are got one by one.</summary>
internal sealed class FilePersonalData(Database database, FileTable table, IFileStorage storage, ContentDigests digests) : IPersonalData
{
    private const int PageSize = 100;

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var files = PersonalRows.PagesAsync<StoredFile>(last => table.ListAsync(accountId, last?.Number, PageSize, cancellationToken), cancellationToken);
        await foreach (var file in files)
        {
            yield return new("file", JsonSerializer.SerializeToUtf8Bytes(FileView.From(file), FilesJson.Default.FileView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        List<StoredFile> files;
        do
        {
            files = await database.ReadAsync(
                session => session.QueryAsync($"SELECT {StoredFile.Columns} FROM file WHERE user_id = $1 ORDER BY number LIMIT $2", StoredFile.Map, accountId, (long)PageSize),
                cancellationToken);
            foreach (var file in files)
            {
                // Whoever still writes to it finds its lease gone. The bytes first, then the row: a crash in between leaves the row to be found.
                await table.DeleteAsync(file.Id, accountId, isReady: false, cancellationToken);
                try
                {
                    digests.Forget(file.Id);
                    await storage.DeleteAsync(file.Id, file.Draft, cancellationToken);
                }
                catch (ServiceUnavailableException failure) when (failure is not StorageUnavailableException)
                {
                    return false;
                }

                await table.ForgetAsync(file.Id, cancellationToken);
            }
        }
        while (files.Count == PageSize);

        return true;
    }
}
