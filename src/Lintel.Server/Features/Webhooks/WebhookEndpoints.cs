using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Webhooks;

internal static partial class WebhookEndpoints
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        // A webhook that a key could make would tell after the key was revoked, and of what the key could not see, so these are for people alone.
        var webhooks = routes.MapGroup("/api/webhooks").WithTags("Webhooks").RequirePerson();
        webhooks.MapPost("", CreateAsync).WithName("CreateWebhook").WithSummary("Make a webhook")
            .WithDescription("The secret is in this answer and nowhere else. What is sent is signed with it, as Standard Webhooks has it.")
            .Accepts<CreateWebhook>("application/json").ProducesErrors(409).MaxBody(MaxBodyBytes).RateLimited()
            .DescribeResponse(201, "The webhook was made; keep its secret now.", ("Location", "The webhook: `/api/webhooks/{id}`."));
        webhooks.MapGet("", ListAsync).WithName("ListWebhooks").WithSummary("List your webhooks, newest first");
        webhooks.MapGet("{id:guid}", GetAsync).WithName("GetWebhook").WithSummary("Get a webhook").ProducesErrors(404);
        webhooks.MapPatch("{id:guid}", UpdateAsync).WithName("UpdateWebhook").WithSummary("Change, disable or enable a webhook")
            .Accepts<UpdateWebhook>("application/json").ProducesErrors(404).MaxBody(MaxBodyBytes).RateLimited();
        webhooks.MapDelete("{id:guid}", DeleteAsync).WithName("DeleteWebhook").WithSummary("Delete a webhook").ProducesErrors(404).RateLimited()
            .DescribeResponse(204, "The webhook is gone, with what it had waiting.");
        webhooks.MapPost("{id:guid}/test", PingAsync).WithName("TestWebhook").WithSummary("Send a ping").ProducesErrors(404, 409, 503).RateLimited();
        webhooks.MapPost("{id:guid}/rotate-secret", RotateAsync).WithName("RotateWebhookSecret").WithSummary("Make a new secret")
            .WithDescription("For a day what is sent is signed with the secret before too, so that the receiver can change over.").ProducesErrors(404).RateLimited();
        webhooks.MapGet("{id:guid}/deliveries", ListDeliveriesAsync).WithName("ListWebhookDeliveries").WithSummary("List what was sent to a webhook, newest first")
            .ProducesErrors(404);
        webhooks.MapPost("{id:guid}/deliveries/{delivery:guid}/redeliver", RedeliverAsync).WithName("RedeliverWebhook").WithSummary("Send something again, under its id")
            .ProducesErrors(404, 409, 503).RateLimited();
    }

    private static async Task<Results<Created<CreatedWebhook>, ErrorResult>> CreateAsync(
        HttpContext context,
        Caller caller,
        WebhookUrl urls,
        WebhookTable table,
        WebhookSecrets secrets,
        WebhookOptions options,
        TimeOrderedIds ids,
        TimeProvider time,
        ILogger<Webhook> logger)
    {
        var fields = await WebhookFields.ReadAsync(context, urls, isNew: true);
        if (fields.Error is { } refusal)
        {
            return refusal;
        }

        var webhook = fields.Create(ids.Next(), caller.OwnerId, WebhookSecrets.NewSalt(), Instant.FromMicroseconds(time.GetMicroseconds()));
        if (!await table.AddAsync(webhook, context.RequestAborted))
        {
            return ApiErrors.Conflict(string.Create(
                CultureInfo.InvariantCulture, $"You have {options.MaxPerAccount} webhooks, which is as many as one account may have; delete one that you no longer need."));
        }

        Log.Created(logger, webhook.Id, caller.OwnerId);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api/webhooks/{webhook.Id}", CreatedWebhook.From(webhook, secrets.Show(webhook.Id, webhook.Salt)));
    }

    private static async Task<Ok<WebhookList>> ListAsync(Caller caller, WebhookTable table, CancellationToken cancellationToken) =>
        TypedResults.Ok(new WebhookList([.. (await table.ListAsync(caller.OwnerId, cancellationToken)).Select(WebhookView.From)], null));

    private static async Task<Results<Ok<WebhookView>, ErrorResult>> GetAsync(Guid id, Caller caller, WebhookTable table, CancellationToken cancellationToken) =>
        await table.FindAsync(id, caller.OwnerId, cancellationToken) is { } webhook ? TypedResults.Ok(WebhookView.From(webhook)) : NoSuchWebhook();

    private static async Task<Results<Ok<WebhookView>, ErrorResult>> UpdateAsync(Guid id, HttpContext context, Caller caller, WebhookUrl urls, WebhookTable table)
    {
        var fields = await WebhookFields.ReadAsync(context, urls, isNew: false);
        if (fields.Error is { } refusal)
        {
            return refusal;
        }

        return await table.UpdateAsync(id, caller.OwnerId, fields.Apply, context.RequestAborted) is { } webhook
            ? TypedResults.Ok(WebhookView.From(webhook))
            : NoSuchWebhook();
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteAsync(Guid id, Caller caller, WebhookTable table, ILogger<Webhook> logger)
    {
        // Once begun it ends: who has asked for this may be in a hurry, and gone.
        if (!await table.DeleteAsync(id, caller.OwnerId, CancellationToken.None))
        {
            return NoSuchWebhook();
        }

        Log.Deleted(logger, id, caller.OwnerId);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Accepted<DeliveryView>, ErrorResult>> PingAsync(Guid id, Caller caller, WebhookTable table, CancellationToken cancellationToken) =>
        Answer(id, await table.PingAsync(id, caller.OwnerId, cancellationToken));

    private static async Task<Results<Ok<RotatedSecret>, ErrorResult>> RotateAsync(
        Guid id, HttpContext context, Caller caller, WebhookTable table, WebhookSecrets secrets, ILogger<Webhook> logger)
    {
        var salt = WebhookSecrets.NewSalt();
        if (await table.RotateAsync(id, caller.OwnerId, salt, context.RequestAborted) is not { } until)
        {
            return NoSuchWebhook();
        }

        Log.Rotated(logger, id, caller.OwnerId);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RotatedSecret(secrets.Show(id, salt), until));
    }

    private static async Task<Results<Ok<DeliveryList>, ErrorResult>> ListDeliveriesAsync(
        Guid id,
        Caller caller,
        WebhookTable table,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many deliveries a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        var before = long.MaxValue;
        if (after is not null && !long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
        }

        if (await table.FindAsync(id, caller.OwnerId, cancellationToken) is null)
        {
            return NoSuchWebhook();
        }

        // One more than asked for tells whether there is a next page.
        var deliveries = await table.ListDeliveriesAsync(id, caller.OwnerId, before, limit + 1, cancellationToken);
        var page = deliveries.Take(limit).ToList();
        return TypedResults.Ok(
            new DeliveryList([.. page.Select(DeliveryView.From)], deliveries.Count > limit ? page[^1].Seq.ToString(CultureInfo.InvariantCulture) : null));
    }

    private static async Task<Results<Accepted<DeliveryView>, ErrorResult>> RedeliverAsync(
        Guid id, Guid delivery, Caller caller, WebhookTable table, CancellationToken cancellationToken) =>
        Answer(id, await table.RedeliverAsync(id, caller.OwnerId, delivery, cancellationToken));

    private static Results<Accepted<DeliveryView>, ErrorResult> Answer(Guid id, (SendStatus Status, Delivery? Delivery) sent) => sent switch
    {
        { Delivery: { } delivery } => TypedResults.Accepted($"/api/webhooks/{id}/deliveries", DeliveryView.From(delivery)),
        { Status: SendStatus.Disabled } => ApiErrors.Conflict("The webhook is disabled; enable it first."),
        { Status: SendStatus.Pending } => ApiErrors.Conflict("This waits to be sent already."),
        { Status: SendStatus.Full } => ApiErrors.ServiceUnavailable("As many deliveries of this webhook wait as may; try again when some were sent."),
        _ => ApiErrors.NotFound("You have no webhook of this id, or it has no such delivery."),
    };

    private static ErrorResult NoSuchWebhook() => ApiErrors.NotFound("You have no webhook of this id.");

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Webhook {WebhookId} was made by account {UserId}.")]
        public static partial void Created(ILogger logger, Guid webhookId, long userId);

        [LoggerMessage(2, LogLevel.Information, "Webhook {WebhookId} was deleted by account {UserId}.")]
        public static partial void Deleted(ILogger logger, Guid webhookId, long userId);

        [LoggerMessage(3, LogLevel.Information, "The secret of webhook {WebhookId} was changed by account {UserId}.")]
        public static partial void Rotated(ILogger logger, Guid webhookId, long userId);
    }
}
