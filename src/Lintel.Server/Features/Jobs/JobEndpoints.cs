using System.Globalization;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Jobs;

internal static class JobEndpoints
{
    /// <summary>The largest submission: large inputs belong here rather than into a URL.</summary>
    public const int MaxBodyBytes = 16 * 1024 * 1024;

    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const int MaxIdempotencyKey = 255;

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/api/jobs").WithTags("Jobs");
        jobs.MapPost("", CreateAsync).WithName("CreateJob").WithSummary("Submit a job").RequireCaller().RateLimited().MaxBody(MaxBodyBytes)
            .Accepts<CreateJob>("application/json").Produces<JobView>(StatusCodes.Status202Accepted).ProducesErrors(409);
        jobs.MapGet("", ListAsync).WithName("ListJobs").WithSummary("List your jobs, newest first").RequireCaller();
        jobs.MapGet("{id:guid}", GetAsync).WithName("GetJob").WithSummary("Get a job").RequireCaller().ProducesErrors(404);
        jobs.MapDelete("{id:guid}", CancelAsync).WithName("CancelJob").WithSummary("Cancel a job").RequireCaller()
            .Produces<JobView>(StatusCodes.Status200OK).Produces<JobView>(StatusCodes.Status202Accepted).ProducesErrors(404);
        jobs.MapGet("{id:guid}/events", WatchAsync).WithName("WatchJob").WithSummary("Watch a job's events, from the start or from Last-Event-ID")
            .RequireEventStreamCaller().Streams(StreamKind.ServerSentEvents).ProducesErrors(404);
        var sockets = routes.ServiceProvider.GetRequiredService<JobSocket>();
        routes.MapGet("/ws/jobs/{id:guid}", sockets.ServeAsync).WithTags("Jobs").WithName("WatchJobSocket").WithSummary("Watch a job's events over a WebSocket")
            .RequireSocketCaller().Streams(StreamKind.WebSocket);
    }

    /// <summary>Accepts a job. With an <c>Idempotency-Key</c> the same request made again is the same job.</summary>
    private static async Task<IResult> CreateAsync(HttpContext context, Caller caller, JobQueue queue, JobKinds kinds, IServiceProvider services)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxIdempotencyKey)
        {
            return Errors.Invalid("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"Must have at most {MaxIdempotencyKey} characters."));
        }

        var submission = RequestBody.Parse(await RequestBody.ReadJsonAsync(context), JobSubmission.Read);
        if (Validate(submission, kinds) is { } invalid)
        {
            return invalid;
        }

        var kind = kinds.Find(submission.Kind!)!;
        if (!caller.Has(kind.Scope))
        {
            return Errors.Forbidden($"Jobs of kind {kind.Name} need the scope {string.Join(' ', kind.Scope.ToNames())}.");
        }

        var check = kind.CreateHandler(services).Check(submission.Input.Span);
        if (check.Error is { } error)
        {
            return Errors.Invalid("input", error);
        }

        var request = new JobRequest(kind, caller.OwnerId, submission.Input.ToArray(), check.Total, key.Length == 0 ? null : key);
        var result = await queue.SubmitAsync(request, context.RequestAborted);
        return result is { Job: { } job } ? Accepted(context, job, result.Status) : Errors.Conflict("This Idempotency-Key was used for another request; take a new one.");
    }

    private static async Task<Results<Ok<JobList>, ErrorResult>> ListAsync(
        Caller caller, JobQueue queue, JobKinds kinds, CancellationToken cancellationToken, string? after = null, string? status = null, string? kind = null, int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return Errors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        if (status is not null && !JobStates.All.Contains(status))
        {
            return Errors.Invalid("status", $"Must be one of: {string.Join(", ", JobStates.All)}.");
        }

        if (kind is not null && !kinds.Contains(kind))
        {
            return Errors.Invalid("kind", "There is no such kind of job.");
        }

        Guid? before = null;
        if (after is not null)
        {
            if (!Guid.TryParse(after, out var id))
            {
                return Errors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = id;
        }

        // One more than asked for tells whether there is a next page.
        var jobs = await queue.ListAsync(caller.OwnerId, before, status, kind, limit + 1, cancellationToken);
        var page = jobs.Take(limit).Select(JobView.From).ToList();
        return TypedResults.Ok(new JobList(page, jobs.Count > limit ? page[^1].JobId.ToString() : null));
    }

    private static async Task<Results<Ok<JobView>, ErrorResult>> GetAsync(Guid id, Caller caller, JobQueue queue, CancellationToken cancellationToken) =>
        await queue.FindAsync(id, caller.OwnerId, cancellationToken) is { } job ? TypedResults.Ok(JobView.From(job)) : NoSuchJob();

    /// <summary>Cancels a job: 200 when it is over, 202 while the server that runs it is being told.</summary>
    private static async Task<IResult> CancelAsync(Guid id, Caller caller, JobQueue queue, CancellationToken cancellationToken) =>
        await queue.CancelAsync(id, caller.OwnerId, cancellationToken) is { } job
            ? TypedResults.Json(
                JobView.From(job),
                JobsJson.Default.JobView,
                statusCode: JobStates.IsTerminal(job.State) ? StatusCodes.Status200OK : StatusCodes.Status202Accepted)
            : NoSuchJob();

    private static async Task WatchAsync(Guid id, HttpContext context, Caller caller, JobQueue queue, JobWatch watch)
    {
        if (await queue.FindAsync(id, caller.OwnerId, context.RequestAborted) is { } job)
        {
            await watch.ServeEventsAsync(context, caller, job);
        }
        else
        {
            await Errors.WriteAsync(context, NoSuchJob());
        }
    }

    private static ErrorResult? Validate(JobSubmission submission, JobKinds kinds)
    {
        var fields = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (submission.Kind is null)
        {
            fields["kind"] = ["This field is required: a text."];
        }
        else if (!kinds.Contains(submission.Kind))
        {
            fields["kind"] = [$"Must be one of: {string.Join(", ", kinds.All.Select(static kind => kind.Name).Order(StringComparer.Ordinal))}."];
        }

        if (submission.Input.IsEmpty)
        {
            fields["input"] = ["This field is required."];
        }

        return fields.Count == 0 ? null : Errors.Invalid(fields);
    }

    private static JsonHttpResult<JobView> Accepted(HttpContext context, Job job, SubmitStatus status)
    {
        context.Response.Headers.Location = $"/api/jobs/{job.Id}";
        if (status == SubmitStatus.Repeated)
        {
            context.Response.Headers["Idempotency-Replayed"] = "true";
        }

        return TypedResults.Json(JobView.From(job), JobsJson.Default.JobView, statusCode: StatusCodes.Status202Accepted);
    }

    private static ErrorResult NoSuchJob() => Errors.NotFound("You have no job of this id.");
}
