using Lintel.Features.Jobs;
using Lintel.Platform.Caching;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Execution;

internal static class ExecutionEndpoints
{
    private const string Tag = "Execution";

    public static void MapExecution(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags(Tag);
        api.MapPost("execute", ExecuteAsync).WithName("ExecuteCode").WithSummary("Run a program and wait for its end")
            .WithDescription(
                "The program has pipes, and its input ends after `stdin`. It is a job like one of `POST /api/jobs` with kind `execute`, whose events can be watched as it runs. "
                + "When the request is broken off it is killed after 10 seconds, unless `detach` is set.")
            .RequireCaller(Scopes.Execute).RateLimited().MaxBody(JobEndpoints.MaxBodyBytes).Accepts<ExecuteCode>("application/json");
        api.MapPost("execute/batch", ExecuteBatchAsync).WithName("ExecuteBatch").WithSummary("Run a program with many inputs and wait for the end")
            .WithDescription(
                "The program is compiled once and run for each input, one after the other, each run with the limits of `limits` for itself. It is a job of kind `execute-batch`.")
            .RequireCaller(Scopes.Execute).RateLimited().MaxBody(JobEndpoints.MaxBodyBytes).Accepts<ExecuteBatch>("application/json");
        api.MapGet("languages", ListAsync).WithName("ListLanguages").WithSummary("List the languages of this server, with versions")
            .RequireCaller().DescribeHeader("If-None-Match", "An `ETag` that you have: where the list is still the same, the answer is 304 and has no body.")
            .DescribeResponse(200, null, ("ETag", "The list as it is.")).DescribeResponse(304, "It has not changed.");
        api.MapPost("jobs/create", CreateTokenAsync).WithName("CreateJobToken").WithSummary("Get a token that runs one program")
            .WithDescription(
                "For browsers that are to run a program without holding a key: a first message of `/ws/execute` with `job_id` and `job_token` runs it as you, once, within 15 minutes.")
            .RequireCaller(Scopes.Execute).RateLimited();
        var sockets = routes.ServiceProvider.GetRequiredService<ExecuteSocket>();
        routes.MapGet("/ws/execute", sockets.ServeAsync).WithTags(Tag).WithName("ExecuteSocket").WithSummary("Run a program and talk with it")
            .WithDescription(
                "The first message, within 5 seconds, is `execute`; it may have the credentials. The program runs on a terminal unless `terminal` is null. "
                + "A socket runs one program. When it breaks, `/ws/jobs/{job_id}` and `/api/jobs/{job_id}/events` go on with the program's events; 10 seconds without a viewer end it, "
                + "unless `detach` is set. The program runs on the server that holds the socket.")
            .RequireSocketCaller(Scopes.Execute).RateLimited().Streams(StreamKind.WebSocket).ProducesErrors(426)
            .DescribeMessages(ExecutionMessages.Client, ExecutionMessages.Server);
    }

    private static async Task<Results<Ok<ExecutedCode>, ErrorResult>> ExecuteAsync(
        HttpContext context, Caller caller, ExecutionSandbox sandbox, Executions executions, RunResults results)
    {
        var errors = default(FieldErrors);
        var execution = await RequestBody.ReadJsonAsync(context, body => ExecutionRequest.Read(body, null, ref errors));
        if (execution is null)
        {
            return ApiErrors.Invalid(errors);
        }

        await sandbox.GetAsync(context.RequestAborted);
        if (sandbox.WhyNot(execution.Language) is { } why)
        {
            return ApiErrors.Invalid("language", why);
        }

        var (job, viewer) = await executions.SubmitAsync(caller.OwnerId, execution);
        return await results.WaitAsync(job, viewer, context.RequestAborted) is { } result ? TypedResults.Ok(result) : Stopping();
    }

    private static async Task<Results<Ok<ExecutedBatch>, ErrorResult>> ExecuteBatchAsync(
        HttpContext context, Caller caller, ExecutionSandbox sandbox, Executions executions, RunResults results)
    {
        var errors = default(FieldErrors);
        var batch = await RequestBody.ReadJsonAsync(context, body => ExecutionBatch.Read(body, ref errors));
        if (batch is null)
        {
            return ApiErrors.Invalid(errors);
        }

        await sandbox.GetAsync(context.RequestAborted);
        if (sandbox.WhyNot(batch.Program.Language) is { } why)
        {
            return ApiErrors.Invalid("language", why);
        }

        var (job, viewer) = await executions.SubmitAsync(caller.OwnerId, batch);
        return await results.WaitForBatchAsync(job, viewer, context.RequestAborted) is { } result ? TypedResults.Ok(result) : Stopping();
    }

    private static async Task<CachedResult<LanguageList>> ListAsync(LanguageCatalog languages, CancellationToken cancellationToken) =>
        new(await languages.GetAsync(cancellationToken));

    private static async Task<Ok<CreatedJobToken>> CreateTokenAsync(Caller caller, JobTokens tokens, CancellationToken cancellationToken) =>
        TypedResults.Ok(await tokens.IssueAsync(caller, cancellationToken));

    private static ErrorResult Stopping() => ApiErrors.ServiceUnavailable("The server stops, and the program with it.");
}
