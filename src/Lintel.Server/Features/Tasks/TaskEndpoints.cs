using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lintel.Platform.Caching;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Lintel.Features.Tasks;

internal static class TaskEndpoints
{
    // The longest description, with each of its characters escaped.
    private const int MaxBodyBytes = 128 * 1024;
    private const int MaxQuery = 200;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const string ETag = "ETag";
    private const string ETagMeaning = "The task's version, for `If-Match` and `If-None-Match`.";
    private const string IfMatchMeaning = "An `ETag` of the task: it is left as it is, with 409, where it has changed since.";

    private static readonly TimeSpan SearchTime = TimeSpan.FromSeconds(1);

    public static void MapTasks(this IEndpointRouteBuilder routes)
    {
        var tasks = routes.MapGroup("/api/tasks").WithTags("Tasks").RequireCaller(Scopes.Tasks);
        tasks.MapPost("", CreateAsync).WithName("CreateTask").WithSummary("Make a task")
            .WithDescription("The task, an e-mail to its owner and a notification to the owner's open connections are one: all are there, or none.")
            .Accepts<CreateTask>("application/json").ProducesErrors(403, 409).MaxBody(MaxBodyBytes).RateLimited()
            .DescribeResponse(201, "The task was made.", ("Location", "The task: `/api/tasks/{id}`."), (ETag, ETagMeaning));
        tasks.MapGet("", ListAsync).WithName("ListTasks").WithSummary("List and search your tasks, newest first").ProducesErrors(403).RateLimited()
            .WithDescription("A page ends where it has `limit` tasks or about 1 MB; where `next` is not null there are more. One search (`q`) of yours runs at a time: another meanwhile is refused with 429.")
            .DescribeHeader("If-None-Match", "An `ETag` that you have: where the page is still the same, the answer is 304 and has no body.")
            .DescribeResponse(200, null, (ETag, "The page as it is.")).DescribeResponse(304, "It has not changed.");
        tasks.MapPost("complete", CompleteAsync).WithName("CompleteTasks").WithSummary("Complete many tasks at once").MaxBody(MaxBodyBytes).RateLimited();
        tasks.MapGet("{id:guid}", GetAsync).WithName("GetTask").WithSummary("Get a task").ProducesErrors(404)
            .DescribeHeader("If-None-Match", "An `ETag` that you have: where it is still the task's, the answer is 304 and has no body.")
            .DescribeResponse(200, null, (ETag, ETagMeaning)).DescribeResponse(304, "It has not changed.", (ETag, ETagMeaning));
        tasks.MapPatch("{id:guid}", UpdateAsync).WithName("UpdateTask").WithSummary("Change a task")
            .Accepts<UpdateTask>("application/json").ProducesErrors(403, 404, 409).MaxBody(MaxBodyBytes).RateLimited()
            .DescribeHeader(IfMatch.Header, IfMatchMeaning).DescribeResponse(200, null, (ETag, ETagMeaning));
        tasks.MapDelete("{id:guid}", DeleteAsync).WithName("DeleteTask").WithSummary("Delete a task").ProducesErrors(404, 409).RateLimited()
            .DescribeHeader(IfMatch.Header, IfMatchMeaning).DescribeResponse(204, "The task is gone.");
    }

    private static async Task<Results<Created<TaskView>, ErrorResult>> CreateAsync(HttpContext context, Caller caller, TaskTable table, TaskOptions options, TimeOrderedIds ids, TimeProvider time)
    {
        var fields = await TaskFields.ReadAsync(context, isNew: true);
        if (Refuse(fields, caller) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow();
        var task = await table.AddAsync(fields.Create(ids.Next(), caller.OwnerId, now), caller.Email, context.RequestAborted);
        if (task is null)
        {
            return ApiErrors.Conflict(
                string.Create(CultureInfo.InvariantCulture, $"You have {options.MaxTasks} tasks, as many as one account may; delete some first."),
                new() { ["limit_tasks"] = options.MaxTasks });
        }

        context.Response.Headers.ETag = task.ETag;
        return TypedResults.Created($"/api/tasks/{task.Id}", TaskView.From(task));
    }

    private static async Task<Results<CachedResult<TaskList>, ErrorResult>> ListAsync(
        Caller caller,
        TaskTable table,
        TaskSearches searches,
        OutputCache cache,
        CancellationToken cancellationToken,
        [Description("Only tasks in this state.")]
        [AllowedValues(TaskStates.Pending, TaskStates.InProgress, TaskStates.Completed)]
        string? status = null,
        [Description("Only tasks with this in their title or description, in upper or lower case."), StringLength(MaxQuery)] string? q = null,
        [FromQuery(Name = "due_before"), Description("Only tasks that are due before.")] DateTimeOffset? dueBefore = null,
        [FromQuery(Name = "user_id"), Description("Whose tasks: only yours.")] long? userId = null,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many tasks a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (userId is { } other && other != caller.OwnerId)
        {
            return NotYours();
        }

        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        if (status is not null && !TaskStates.All.Contains(status))
        {
            return ApiErrors.Invalid("status", $"Must be one of: {string.Join(", ", TaskStates.All)}.");
        }

        if (q?.Length > MaxQuery || q?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return ApiErrors.Invalid("q", string.Create(CultureInfo.InvariantCulture, $"Must be a text of at most {MaxQuery} characters."));
        }

        Guid? before = null;
        if (after is not null)
        {
            if (!Guid.TryParse(after, out var id))
            {
                return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = id;
        }

        var page = new TaskPage(before, new(status, q, dueBefore), limit);
        if (q is { Length: > 0 })
        {
            return await SearchAsync(table, searches, caller.OwnerId, page, cancellationToken);
        }

        var body = await cache.GetAsync(
            TaskTable.TagOf(caller.OwnerId), page, async page => page.Write(await table.ListAsync(caller.OwnerId, page, CancellationToken.None)));
        return new CachedResult<TaskList>(body!);
    }

    /// <summary>Searches are seldom alike, so nothing is kept of them.</summary>
    private static async Task<Results<CachedResult<TaskList>, ErrorResult>> SearchAsync(
        TaskTable table, TaskSearches searches, long userId, TaskPage page, CancellationToken cancellationToken)
    {
        if (!searches.TryBegin(userId))
        {
            return ApiErrors.RateLimited("A search of yours is under way; try again when it has ended.", SearchTime);
        }

        try
        {
            return new CachedResult<TaskList>(page.Write(await table.ListAsync(userId, page, cancellationToken)));
        }
        finally
        {
            searches.End(userId);
        }
    }

    private static async Task<Results<CachedResult<TaskView>, ErrorResult>> GetAsync(Guid id, Caller caller, TaskTable table, OutputCache cache)
    {
        // Others' tasks are under other tags.
        var body = await cache.GetAsync(TaskTable.TagOf(caller.OwnerId), id, async id =>
            await table.FindAsync(id, caller.OwnerId, CancellationToken.None) is { } task ? CachedBody.Of(TaskView.From(task), TasksJson.Default.TaskView, task.ETag) : null);
        return body is null ? NoSuchTask() : new CachedResult<TaskView>(body);
    }

    private static async Task<Results<Ok<TaskView>, ErrorResult>> UpdateAsync(Guid id, HttpContext context, Caller caller, TaskTable table)
    {
        var fields = await TaskFields.ReadAsync(context, isNew: false);
        if (Refuse(fields, caller) is { } refusal)
        {
            return refusal;
        }

        var (change, task) = await table.UpdateAsync(id, caller.OwnerId, IfMatch.Of(context.Request), fields.Apply, context.RequestAborted);
        if (task is null)
        {
            return Explain(change);
        }

        context.Response.Headers.ETag = task.ETag;
        return TypedResults.Ok(TaskView.From(task));
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteAsync(Guid id, HttpContext context, Caller caller, TaskTable table) =>
        await table.DeleteAsync(id, caller.OwnerId, IfMatch.Of(context.Request), context.RequestAborted) is not TaskChange.Done and var change
            ? Explain(change)
            : TypedResults.NoContent();

    private static async Task<Results<Ok<CompletedTasks>, ErrorResult>> CompleteAsync(
        CompleteTasks request, Caller caller, TaskTable table, CancellationToken cancellationToken)
    {
        if (request.Ids is not { Count: > 0 and <= CompleteTasks.Most })
        {
            return ApiErrors.Invalid("ids", string.Create(CultureInfo.InvariantCulture, $"Must be a list of 1 to {CompleteTasks.Most} ids."));
        }

        var found = await table.CompleteAsync(request.Ids, caller.OwnerId, cancellationToken);
        var asked = request.Ids.Distinct().ToArray();
        return TypedResults.Ok(new CompletedTasks([.. asked.Where(found.Contains)], [.. asked.Where(id => !found.Contains(id))]));
    }

    private static ErrorResult? Refuse(TaskFields fields, Caller caller) =>
        fields.Error ?? (fields.UserId is { } other && other != caller.OwnerId ? NotYours() : null);

    private static ErrorResult Explain(TaskChange change) =>
        change == TaskChange.Stale ? ApiErrors.Conflict("The task has changed since; get it again and decide anew.") : NoSuchTask();

    private static ErrorResult NoSuchTask() => ApiErrors.NotFound("You have no task of this id.");

    private static ErrorResult NotYours() => ApiErrors.Forbidden("Tasks of another user are not yours to see or make.");
}
