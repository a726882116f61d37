using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lintel.Features.Jobs.Watching;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Jobs;

internal static class JobEndpoints
{
    /// <summary>The largest submission: large inputs belong here rather than into a URL.</summary>
    public const int MaxBodyBytes = 16 * 1024 * 1024;

    private const string Tag = "Jobs";
    private const string IdempotencyKey = "Idempotency-Key";
    private const string IdempotencyReplayed = "Idempotency-Replayed";
    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const int MaxIdempotencyKey = 255;

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var kinds = routes.ServiceProvider.GetRequiredService<JobKinds>();
        MessageType[] events = [.. kinds.All.SelectMany(static kind => kind.Events), .. JobEvents.Types];
        var jobs = routes.MapGroup("/api/jobs").WithTags(Tag);
        jobs.MapPost("", CreateAsync).WithName("CreateJob").WithSummary("Submit a job")
            .WithDescription("The job belongs to nobody's connection: watch it, leave, come back. Needs the scope of its kind, for `batch-design` that is `design`.")
            .RequireCaller().RateLimited().MaxBody(MaxBodyBytes)
            .DescribeHeader(IdempotencyKey, "Anything of yours: the same request sent again with the same key is the same job.", MaxIdempotencyKey)
            .Accepts<CreateJob>("application/json").Produces<JobView>(StatusCodes.Status202Accepted).ProducesErrors(403, 409)
            .DescribeResponse(
                202,
                "Accepted; with a known `Idempotency-Key`, what became of the job since.",
                ("Location", "The job: `/api/jobs/{id}`."),
                (IdempotencyReplayed, "`true` where the key was known and no job was made."));
        jobs.MapGet("", ListAsync).WithName("ListJobs").WithSummary("List your jobs, newest first").RequireCaller();
        jobs.MapGet("{id:guid}", GetAsync).WithName("GetJob").WithSummary("Get a job").RequireCaller().ProducesErrors(404);
        jobs.MapDelete("{id:guid}", CancelAsync).WithName("CancelJob").WithSummary("Cancel a job").RequireCaller()
            .Produces<JobView>(StatusCodes.Status200OK).Produces<JobView>(StatusCodes.Status202Accepted).ProducesErrors(404)
            .DescribeResponse(200, "The job is over, be it by this request or before.").DescribeResponse(202, "The server that runs it is being told.");
        jobs.MapGet("{id:guid}/events", WatchAsync).WithName("WatchJob").WithSummary("Watch a job's events, from the start or from Last-Event-ID")
            .WithDescription("The stream ends after `complete`, `failed` or `cancelled`. When it breaks, come back with the last `id`: nothing is missed or repeated.")
            .RequireEventStreamCaller().Streams(StreamKind.ServerSentEvents).DescribeCursor().ProducesErrors(404)
            .DescribeEvents(new(
                "JobEvent",
                "An event of a job's stream. Which ones a kind sends is its own matter; the last one is always `complete`, `failed` or `cancelled`.",
                events));
        var sockets = routes.ServiceProvider.GetRequiredService<JobSocket>();
        routes.MapGet("/ws/jobs/{id:guid}", sockets.ServeAsync).WithTags(Tag).WithName("WatchJobSocket").WithSummary("Watch a job's events over a WebSocket")
            .WithDescription(
                "The same events as over Server-Sent Events, each with its `id`. For a job that is not yours, or that does not exist, the socket closes with 1008 `Job not found`.")
            .RequireSocketCaller().Streams(StreamKind.WebSocket).DescribeCursor().ProducesErrors(404, 426)
            .DescribeMessages(
                new("JobSocketRequest", "What a client that watches a job may say.", CommonMessages.Client),
                new("JobSocketMessage", "An event of the job, or an answer.", [.. events, .. CommonMessages.Server]));
    }

    /// <summary>Accepts a job. With an <c>Idempotency-Key</c> the same request made again is the same job.</summary>
    private static async Task<IResult> CreateAsync(HttpContext context, Caller caller, JobQueue queue, JobKinds kinds, IServiceProvider services)
    {
        var key = context.Request.Headers[IdempotencyKey].ToString();
        if (key.Length > MaxIdempotencyKey)
        {
            return ApiErrors.Invalid(IdempotencyKey, string.Create(CultureInfo.InvariantCulture, $"Must have at most {MaxIdempotencyKey} characters."));
        }

        using var body = await RequestBody.HoldJsonAsync(context);
        var submission = RequestBody.Parse(body.Bytes, JobSubmission.Read);
        if (Validate(submission, kinds) is { } invalid)
        {
            return invalid;
        }

        var kind = kinds.Find(submission.Kind!)!;
        if (!caller.Has(kind.Scope))
        {
            return ApiErrors.Forbidden($"Jobs of kind {kind.Name} need the scope {string.Join(' ', kind.Scope.ToNames())}.");
        }

        var handler = kind.CreateHandler(services);
        var prepared = await handler.PrepareAsync(submission.Input, caller, context.RequestAborted);
        if (prepared.Forbidden is { } reason)
        {
            return ApiErrors.Forbidden(reason);
        }

        var check = prepared.Fields is null ? handler.Check(prepared.Input.Span) : new JobInputCheck { Fields = prepared.Fields };
        if (Refuse(check) is { } refusal)
        {
            return refusal;
        }

        var request = new JobRequest(kind, caller.OwnerId, prepared.Input.ToArray(), check.Total, key.Length == 0 ? null : key, check.CancelOnDisconnect);
        var result = await queue.SubmitAsync(request, context.RequestAborted);
        return result is { Job: { } job } ? Accepted(context, job, result.Status) : ApiErrors.Conflict("This Idempotency-Key was used for another request; take a new one.");
    }

    private static async Task<Results<Ok<JobList>, ErrorResult>> ListAsync(
        Caller caller,
        JobQueue queue,
        JobKinds kinds,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("Only jobs in this state.")]
        [AllowedValues(JobStates.Queued, JobStates.Running, JobStates.Complete, JobStates.Failed, JobStates.Cancelled)]
        string? status = null,
        [Description("Only jobs of this kind.")] string? kind = null,
        [Description("How many jobs a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        if (status is not null && !JobStates.All.Contains(status))
        {
            return ApiErrors.Invalid("status", $"Must be one of: {string.Join(", ", JobStates.All)}.");
        }

        if (kind is not null && !kinds.Contains(kind))
        {
            return ApiErrors.Invalid("kind", "There is no such kind of job.");
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

        // One more than asked for tells whether there is a next page.
        var jobs = await queue.ListAsync(caller.OwnerId, before, status, kind, kinds.HiddenFrom(caller), limit + 1, cancellationToken);
        var page = jobs.Take(limit).Select(JobView.From).ToList();
        return TypedResults.Ok(new JobList(page, jobs.Count > limit ? page[^1].JobId.ToString() : null));
    }

    private static async Task<Results<Ok<JobView>, ErrorResult>> GetAsync(Guid id, Caller caller, JobQueue queue, JobKinds kinds, CancellationToken cancellationToken) =>
        await FindAsync(id, caller, queue, kinds, cancellationToken) is { } job
            ? TypedResults.Ok(JobView.From(job) with { QueuePosition = await queue.PositionAsync(job, cancellationToken) })
            : NoSuchJob();

    /// <summary>Cancels a job: 200 when it is over, 202 while the server that runs it is being told.</summary>
    private static async Task<IResult> CancelAsync(Guid id, Caller caller, JobQueue queue, JobKinds kinds, CancellationToken cancellationToken) =>
        await FindAsync(id, caller, queue, kinds, cancellationToken) is not null && await queue.CancelAsync(id, caller.OwnerId, cancellationToken) is { } job
            ? TypedResults.Json(
                JobView.From(job),
                JobsJson.Default.JobView,
                statusCode: JobStates.IsTerminal(job.State) ? StatusCodes.Status200OK : StatusCodes.Status202Accepted)
            : NoSuchJob();

    private static async Task WatchAsync(Guid id, HttpContext context, Caller caller, JobQueue queue, JobKinds kinds, JobWatch watch)
    {
        if (await FindAsync(id, caller, queue, kinds, context.RequestAborted) is { } job)
        {
            await watch.ServeEventsAsync(context, caller, job);
        }
        else
        {
            await ErrorWriter.WriteAsync(context, NoSuchJob());
        }
    }

    /// <summary>The caller's own job; not one of a kind that its key has no scope for, though the owner is the same.</summary>
    private static async Task<Job?> FindAsync(Guid id, Caller caller, JobQueue queue, JobKinds kinds, CancellationToken cancellationToken) =>
        await queue.FindAsync(id, caller.OwnerId, cancellationToken) is { } job && kinds.Admits(caller, job.Kind) ? job : null;

    private static ErrorResult? Validate(JobSubmission submission, JobKinds kinds)
    {
        var errors = default(FieldErrors);
        if (submission.Kind is null)
        {
            errors.Add("kind", "This field is required: a text.");
        }
        else if (kinds.Find(submission.Kind) is not { IsInternal: false })
        {
            errors.Add("kind", $"Must be one of: {string.Join(", ", kinds.All.Where(static kind => !kind.IsInternal).Select(static kind => kind.Name).Order(StringComparer.Ordinal))}.");
        }

        if (submission.Input.IsEmpty)
        {
            errors.Add("input", "This field is required.");
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }

    private static ErrorResult? Refuse(in JobInputCheck check)
    {
        var errors = default(FieldErrors);
        foreach (var (field, messages) in check.Fields ?? new Dictionary<string, string[]>())
        {
            foreach (var message in messages)
            {
                errors.Add($"input.{field}", message);
            }
        }

        if (check.Error is { } error)
        {
            errors.Add("input", error);
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }

    private static JsonHttpResult<JobView> Accepted(HttpContext context, Job job, SubmitStatus status)
    {
        context.Response.Headers.Location = $"/api/jobs/{job.Id}";
        if (status == SubmitStatus.Repeated)
        {
            context.Response.Headers[IdempotencyReplayed] = "true";
        }

        return TypedResults.Json(JobView.From(job), JobsJson.Default.JobView, statusCode: StatusCodes.Status202Accepted);
    }

    private static ErrorResult NoSuchJob() => ApiErrors.NotFound("You have no job of this id.");
}
