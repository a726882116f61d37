using System.Text;
using Lintel.Features.Jobs;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Lintel.Features.Beams.Batches;

internal static class BatchEndpoints
{
    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/stream").WithTags("Beams");
        batches.MapPost("batch-design", StartAsync).WithName("StreamBatchDesign").WithSummary("Design a batch of beams and stream the results")
            .WithDescription(
                "A batch of up to 100,000 beams. It lives as long as somebody watches: when its last watcher has been gone for 10 seconds, it is cancelled. "
                + "With `Last-Event-ID` the request continues the batch that the id names, and the body is not looked at. "
                + "A body that is not JSON, an empty array or too many beams is answered with 200 and one `error` event.")
            .RequireEventStreamCaller(Scopes.Design).RateLimited().Streams(StreamKind.ServerSentEvents).DescribeCursor().DescribeEvents(BatchEvents.All)
            .MaxBody(JobEndpoints.MaxBodyBytes).Accepts<DesignBeam[]>("application/json");
        batches.MapGet("batch-design", StartFromQueryAsync).WithName("StreamBatchDesignFromQuery").WithSummary("The older form: the beams are in the URL")
            .RequireEventStreamCaller(Scopes.Design).RateLimited().Streams(StreamKind.ServerSentEvents)
            .DescribeQuery("beams", "A JSON array of beams; not looked at when a batch is continued.").DescribeCursor().DescribeEvents(BatchEvents.All).Deprecated()
            .DescribeResponse(200, null, ("Deprecation", "Always `true`."), ("Link", "Where the newer form is."));
        batches.MapGet("job/{job_id}", GetAsync).WithName("GetBatch").WithSummary("Tell how a batch stands")
            .RequireCaller(Scopes.Design).ProducesErrors(404);
        batches.MapGet("progress/{job_id}", WatchAsync).WithName("WatchBatch").WithSummary("Watch a batch again, from the start or from Last-Event-ID")
            .RequireEventStreamCaller(Scopes.Design).RateLimited().Streams(StreamKind.ServerSentEvents).DescribeCursor().DescribeEvents(BatchEvents.All).ProducesErrors(404);
    }

    /// <summary>Designs the beams of a JSON array. With <c>Last-Event-ID</c> it goes on with the batch that the id names, and the body is not looked at.</summary>
    private static async Task StartAsync(HttpContext context, Caller caller, BatchStreams batches)
    {
        if (StreamCursor.Of(context.Request) is { } cursor)
        {
            await RequestBody.SkipAsync(context);
            await batches.ResumeAsync(context, caller, cursor);
        }
        else
        {
            var scan = new BeamScan();
            await batches.StartAsync(context, caller, await RequestBody.HoldJsonAsync(context, scan.Read), scan);
        }
    }

    private static async Task StartFromQueryAsync(HttpContext context, Caller caller, BatchStreams batches)
    {
        context.Response.Headers["Deprecation"] = "true";
        context.Response.Headers.Link = "</stream/batch-design>; rel=\"successor-version\"";
        if (StreamCursor.Of(context.Request) is { } cursor)
        {
            await batches.ResumeAsync(context, caller, cursor);
        }
        else
        {
            await batches.StartAsync(context, caller, HeldBody.Of(Encoding.UTF8.GetBytes(context.Request.Query["beams"].ToString())), new BeamScan());
        }
    }

    private static async Task<Results<Ok<BatchStatus>, ErrorResult>> GetAsync(
        [FromRoute(Name = "job_id")] string jobId, Caller caller, BatchStreams batches, CancellationToken cancellationToken) =>
        await batches.FindAsync(jobId, caller, cancellationToken) is { } job ? TypedResults.Ok(BatchStatus.From(job)) : NoSuchBatch();

    private static async Task WatchAsync([FromRoute(Name = "job_id")] string jobId, HttpContext context, Caller caller, BatchStreams batches, JobWatch watch)
    {
        if (await batches.FindAsync(jobId, caller, context.RequestAborted) is { } job)
        {
            await watch.ServeEventsAsync(context, caller, job);
        }
        else
        {
            await ErrorWriter.WriteAsync(context, NoSuchBatch());
        }
    }

    private static ErrorResult NoSuchBatch() => ApiErrors.NotFound("You have no batch of this id.");
}
