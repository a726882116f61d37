using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Lintel.Features.Accounts.Audit;

internal static class AuditEndpoints
{
    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const int ExportPage = 500;
    private const string AfterMeaning = "The `next` of an earlier page.";
    private const string AccountMeaning = "Only what happened to this account.";
    private const string KindMeaning = "Only events of this kind.";

    private const string Endless =
        "The stream ends with the session or key that opened it. When it breaks, come back with the last `id`, which is told at once and before any event: nothing is missed or repeated.";

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/auth/activity", ListOwnAsync).WithTags("Accounts").WithName("ListActivity").WithSummary("List what happened to your account, newest first")
            .WithDescription("Sign-ins, changes and what administrators did; for a year, unless the server is set otherwise. Nobody can change it.")
            .RequirePerson().RateLimited();
        MessageUnion events = new(
            "ActivityEvent",
            "Something that happened to an account, as the lists show it.",
            [.. AccountEvents.All.Select(static kind => new MessageType(kind, typeof(ActivityView), IsLogged: true)), new(StreamReset.EventName, typeof(StreamReset))]);
        routes.MapGet("/auth/activity/events", static (HttpContext context, Caller caller, ActivityWatch watch) => watch.ServeAsync(context, caller, caller.OwnerId, new()))
            .WithTags("Accounts").WithName("WatchActivity").WithSummary("Watch what happens to your account, from now on or from Last-Event-ID").WithDescription(Endless)
            .RequireEventStreamPerson().Streams(StreamKind.ServerSentEvents).DescribeCursor().DescribeEvents(events);

        var audit = routes.MapGroup("/api/admin/audit").WithTags("Administration").RequireCaller(Scopes.Admin).RateLimited();
        audit.MapGet("", ListAllAsync).WithName("ListAudit").WithSummary("List what happened to accounts, newest first")
            .WithDescription(
                "One request looks at 20,000 events at most: with a filter that matches little a page may have few or none, and where `next` is not null there are more.");
        audit.MapGet("export", ExportAsync).WithName("ExportAudit").WithSummary("Export what happened to accounts as JSON lines, oldest first")
            .WithDescription("As much as there is at that moment. The `id` of the last line, as `after`, goes on behind it.")
            .Produces(200, contentType: "application/x-ndjson");
        routes.MapGet("/api/admin/audit/events", WatchAsync).WithTags("Administration").WithName("WatchAudit")
            .WithSummary("Watch what happens to accounts, from now on or from Last-Event-ID").WithDescription(Endless)
            .RequireEventStreamCaller(Scopes.Admin).Streams(StreamKind.ServerSentEvents).DescribeCursor().DescribeEvents(events);
    }

    private static async Task<Results<Ok<ActivityList>, ErrorResult>> ListOwnAsync(
        Caller caller,
        AuditReader reader,
        CancellationToken cancellationToken,
        [Description(AfterMeaning)] string? after = null,
        [Description("How many events a page has at most."), Range(1, MaxPage)] int limit = DefaultPage) =>
        await ListAsync(reader, caller.OwnerId, new(), after, limit, cancellationToken);

    private static async Task<Results<Ok<ActivityList>, ErrorResult>> ListAllAsync(
        AuditReader reader,
        CancellationToken cancellationToken,
        [FromQuery(Name = "account_id"), Description(AccountMeaning)] long? accountId = null,
        [Description(KindMeaning)] string? kind = null,
        [Description("Only what happened then or later.")] DateTimeOffset? since = null,
        [Description("Only what happened before.")] DateTimeOffset? until = null,
        [Description(AfterMeaning)] string? after = null,
        [Description("How many events a page has at most."), Range(1, MaxPage)] int limit = DefaultPage) =>
        CheckKind(kind) is { } refusal ? refusal : await ListAsync(reader, null, new(accountId, kind, since, until), after, limit, cancellationToken);

    private static async Task<Results<Ok<ActivityList>, ErrorResult>> ListAsync(
        AuditReader reader, long? streamOf, AuditFilter filter, string? after, int limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        var stream = await reader.FindAsync(streamOf, cancellationToken) ?? StreamInfo.None;
        var before = stream.NextSeq;
        if (after is not null)
        {
            if (AuditReader.SeqOf(stream, after) is not { } seq)
            {
                return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = seq;
        }

        var page = await reader.ListAsync(stream, before, filter, limit, cancellationToken);
        return TypedResults.Ok(new ActivityList(page.Events, page.After));
    }

    private static async Task<Results<EmptyHttpResult, ErrorResult>> ExportAsync(
        HttpContext context,
        AuditReader reader,
        [FromQuery(Name = "account_id"), Description(AccountMeaning)] long? accountId = null,
        [Description(KindMeaning)] string? kind = null,
        [Description("The `id` of the last line that you have.")] string? after = null)
    {
        if (CheckKind(kind) is { } refusal)
        {
            return refusal;
        }

        var cancellationToken = context.RequestAborted;
        var stream = await reader.FindAsync(null, cancellationToken) ?? StreamInfo.None;
        var from = stream.FloorSeq;
        if (after is not null)
        {
            if (AuditReader.SeqOf(stream, after) is not { } seq)
            {
                return ApiErrors.Invalid("after", "Must be the id of a line of an earlier export.");
            }

            from = Math.Max(from, seq + 1);
        }

        var filter = new AuditFilter(accountId, kind);
        var response = JsonLinesResponse.Open(context, "audit.jsonl");
        while (true)
        {
            var page = await reader.ReadOnAsync(stream, from, filter, ExportPage, cancellationToken);
            foreach (var item in page.Events)
            {
                await response.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(item, ActivityJson.Default.ActivityView));
            }

            await response.FlushAsync();
            if (page.After is null)
            {
                return TypedResults.Empty;
            }

            from = AuditReader.SeqOf(stream, page.After)!.Value + 1;
        }
    }

    private static async Task<Results<EmptyHttpResult, ErrorResult>> WatchAsync(
        HttpContext context,
        Caller caller,
        ActivityWatch watch,
        [FromQuery(Name = "account_id"), Description(AccountMeaning)] long? accountId = null,
        [Description(KindMeaning)] string? kind = null)
    {
        if (CheckKind(kind) is { } refusal)
        {
            return refusal;
        }

        await watch.ServeAsync(context, caller, null, new(accountId, kind));
        return TypedResults.Empty;
    }

    private static ErrorResult? CheckKind(string? kind) =>
        kind is null || StreamEvent.IsKind(kind) ? null : ApiErrors.Invalid("kind", "Must be the name of a kind of event, such as session.opened.");
}
