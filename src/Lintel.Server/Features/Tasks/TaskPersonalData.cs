using System.Text.Json;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>A person's tasks.</summary>
internal sealed class TaskPersonalData(Database database, TaskTable table) : IPersonalData
{
    private const int PageSize = 100;

    public async IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // What does not fit into a page comes with the next one.
        var tasks = PersonalRows.PagesAsync<TaskItem>(
            async last => [.. (await table.ListAsync(accountId, new(last?.Id, default, PageSize), cancellationToken)).TakeWhile(static task => task is not null).OfType<TaskItem>()],
            cancellationToken);
        await foreach (var task in tasks)
        {
            yield return new("task", JsonSerializer.SerializeToUtf8Bytes(TaskView.From(task), TasksJson.Default.TaskView));
        }
    }

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync("DELETE FROM task WHERE id IN (SELECT id FROM task WHERE user_id = $1 LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
