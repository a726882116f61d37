using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Tasks;

/// <summary>A new task.</summary>
/// <param name="Title">1 to 200 characters on one line.</param>
/// <param name="Description">Up to 10,000 characters.</param>
/// <param name="Status"><c>pending</c>, where this is missing.</param>
/// <param name="DueAt">When it must be done. A reminder comes before; a time without an offset is UTC.</param>
/// <param name="UserId">Whose it is to be: only you.</param>
/// <example>{"title":"Check the lintel over the west door","description":"See drawing 12.","due_at":"2027-01-31T12:00:00Z"}</example>
public sealed record CreateTask(
    [property: Required, StringLength(TaskFields.MaxTitle, MinimumLength = 1)] string Title,
    [property: StringLength(TaskFields.MaxDescription)] string? Description = null,
    [property: AllowedValues(TaskStates.Pending, TaskStates.InProgress, TaskStates.Completed)] string? Status = null,
    DateTimeOffset? DueAt = null,
    long? UserId = null);

/// <summary>What is to be changed of a task. Fields that are missing stay as they are.</summary>
/// <param name="Title">1 to 200 characters on one line.</param>
/// <param name="Description">Up to 10,000 characters; null for none.</param>
/// <param name="Status">The new state.</param>
/// <param name="DueAt">When it must be done; null for no such time.</param>
/// <param name="UserId">Whose it is: only you.</param>
/// <example>{"status":"in_progress","due_at":null}</example>
public sealed record UpdateTask(
    [property: StringLength(TaskFields.MaxTitle, MinimumLength = 1)] string? Title = null,
    [property: StringLength(TaskFields.MaxDescription)] string? Description = null,
    [property: AllowedValues(TaskStates.Pending, TaskStates.InProgress, TaskStates.Completed)] string? Status = null,
    DateTimeOffset? DueAt = null,
    long? UserId = null);

/// <summary>A task.</summary>
/// <param name="Id">Names the task in routes; later tasks have greater ones.</param>
/// <param name="Title">What is to be done.</param>
/// <param name="Description">More about it.</param>
/// <param name="Status">How far it is.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="DueAt">When it must be done.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <param name="Version">Counts the changes: the <c>ETag</c> without its quotes.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","title":"Check the lintel over the west door","description":"See drawing 12.","status":"pending","user_id":7,"due_at":"2027-01-31T12:00:00.000000Z","created_at":"2026-01-31T12:00:00.123456Z","updated_at":"2026-01-31T12:00:00.123456Z","version":1}</example>
public sealed record TaskView(
    Guid Id,
    [property: Required] string Title,
    string? Description,
    [property: Required, AllowedValues(TaskStates.Pending, TaskStates.InProgress, TaskStates.Completed)] string Status,
    long UserId,
    DateTimeOffset? DueAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    long Version)
{
    internal static TaskView From(TaskItem task) =>
        new(task.Id, task.Title, task.Description, task.Status, task.UserId, task.DueAt, task.CreatedAt, task.UpdatedAt, task.Version);
}

/// <summary>A page of a person's tasks.</summary>
/// <param name="Tasks">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page; null on the last one.</param>
public sealed record TaskList([property: Required] IReadOnlyList<TaskView> Tasks, string? Next);

/// <summary>Tasks that are done.</summary>
/// <param name="Ids">1 to 500 of them.</param>
/// <example>{"ids":["019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01"]}</example>
public sealed record CompleteTasks([property: Required, MinLength(1), MaxLength(CompleteTasks.Most)] IReadOnlyList<Guid> Ids)
{
    internal const int Most = 500;
}

/// <summary>What became of tasks that were to be completed.</summary>
/// <param name="Completed">Those that are completed now, and those that were before.</param>
/// <param name="NotFound">Those that you do not have.</param>
/// <example>{"completed":["019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01"],"not_found":[]}</example>
public sealed record CompletedTasks([property: Required] IReadOnlyList<Guid> Completed, [property: Required] IReadOnlyList<Guid> NotFound);

/// <summary>What is told of a task: that it was made, or that it is due.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Title">What is to be done.</param>
/// <param name="Status">How far it is.</param>
/// <param name="DueAt">When it must be done.</param>
/// <example>{"task_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","title":"Check the lintel over the west door","status":"pending","due_at":"2027-01-31T12:00:00.000000Z"}</example>
public sealed record TaskNotice(Guid TaskId, [property: Required] string Title, [property: Required] string Status, DateTimeOffset? DueAt);

/// <summary>What webhooks are told of a task: that it was made, changed, completed or deleted, or is due. Its description is there to be got.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Title">What is to be done.</param>
/// <param name="Status">How far it is.</param>
/// <param name="DueAt">When it must be done.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <param name="Version">Counts the changes.</param>
public sealed record TaskEvent(
    Guid TaskId,
    [property: Required] string Title,
    [property: Required] string Status,
    DateTimeOffset? DueAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    long Version);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(CreateTask))]
[JsonSerializable(typeof(UpdateTask))]
[JsonSerializable(typeof(TaskView))]
[JsonSerializable(typeof(TaskList))]
[JsonSerializable(typeof(CompleteTasks))]
[JsonSerializable(typeof(CompletedTasks))]
[JsonSerializable(typeof(TaskNotice))]
[JsonSerializable(typeof(TaskEvent))]
internal sealed partial class TasksJson : JsonSerializerContext;
