using System.Text.Json;
using Lintel.Platform.Caching;

namespace Lintel.Features.Tasks;

/// <summary>Which page of a person's tasks is asked for.</summary>
/// <param name="Before">Only tasks older than this one.</param>
/// <param name="Limit">How many tasks it has at most.</param>
internal readonly record struct TaskPage(Guid? Before, TaskFilter Filter, int Limit)
{
    /// <summary>A page ends with the task that takes it past this many bytes, however few it has: readers may be slow and many.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The answer, as a <see cref="TaskList"/> has it.</summary>
    /// <param name="tasks">One more than the page may have where there are more; null stands for one that does not fit.</param>
    public CachedBody Write(List<TaskItem?> tasks)
    {
        var limit = Math.Min(Limit, tasks.Count);
        return CachedBody.Of(writer =>
        {
            var shown = 0;
            writer.WriteStartObject();
            writer.WriteStartArray("tasks");
            while (shown < limit && tasks[shown] is { } task && writer.BytesCommitted + writer.BytesPending < MaxBytes)
            {
                JsonSerializer.Serialize(writer, TaskView.From(task), TasksJson.Default.TaskView);
                shown++;
            }

            writer.WriteEndArray();
            writer.WriteString("next", shown < tasks.Count ? tasks[shown - 1]!.Id.ToString() : null);
            writer.WriteEndObject();
        });
    }
}
