using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Features.Jobs;
using Lintel.Platform.Security;

namespace Lintel.Features.Webhooks.Sending;

internal sealed record WebhookJobInput(Guid WebhookId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WebhookJobInput))]
internal sealed partial class WebhookJobJson : JsonSerializerContext;

/// <summary>Sends what one webhook has waiting, in its order: what fails holds up what comes after it, and nobody else.</summary>
internal sealed class WebhookJob(PendingDeliveries pending, WebhookSender sender, WebhookMetrics metrics, TimeProvider time) : IJobHandler
{
    /// <summary>With these delays, about a week of attempts. A delivery has failed before, and a webhook that takes nothing is disabled.</summary>
    public static readonly JobKind Kind = new("webhook", Scopes.Tasks)
    {
        IsInternal = true,
        RunsApart = true,
        MaxAttempts = 200,
        RetryDelay = TimeSpan.FromSeconds(10),
        MaxRetryDelay = TimeSpan.FromHours(1),

        // An owner's targets that answer slowly for ever wait for each other before anybody else does.
        MaxConcurrentPerOwner = 4,
    };

    /// <summary>Then others get their turn.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        var webhookId = JsonSerializer.Deserialize(job.Input.Span, WebhookJobJson.Default.WebhookJobInput)!.WebhookId;
        var began = time.GetTimestamp();
        var hasDelivered = false;
        while (await pending.FindNextAsync(webhookId, job.JobId, cancellationToken) is { } next)
        {
            if (next.Message is not { } message)
            {
                if (await pending.ReleaseAsync(next))
                {
                    break;
                }

                // Something was added meanwhile.
                continue;
            }

            if (hasDelivered && time.GetElapsedTime(began) > Turn)
            {
                await pending.HandOverAsync(next);
                break;
            }

            // A crash here, or after it and before its outcome is written: it is sent once more, under the same Webhook-Id.
            var outcome = await sender.SendAsync(next, message, cancellationToken);
            metrics.Count(outcome);
            if (outcome.IsDelivered)
            {
                await pending.DeliveredAsync(next, message, outcome);
                hasDelivered = true;
            }
            else if (!await pending.FailedAsync(next, message, outcome))
            {
                break;
            }
            else if (hasDelivered)
            {
                // The target was there a moment ago: the waits begin anew, with a job whose attempts are not counted yet.
                await pending.HandOverAsync(next);
                break;
            }
            else
            {
                return JobOutcome.TryAgain(outcome.Error!);
            }
        }

        return JobOutcome.Complete();
    }
}
