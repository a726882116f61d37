using System.Diagnostics.Metrics;

namespace Lintel.Features.Webhooks.Sending;

/// <summary>What sending counts, for whoever listens to the meter <c>Lintel.Webhooks</c>. Without the targets: there are as many as users like.</summary>
internal sealed class WebhookMetrics
{
    public const string MeterName = "Lintel.Webhooks";

    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _duration;

    public WebhookMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _attempts = meter.CreateCounter<long>("lintel.webhook.attempts", "{attempt}", "Messages that were sent, or were to be.");
        _duration = meter.CreateHistogram<double>("lintel.webhook.duration", "s", "How long receivers took.");
    }

    public void Count(DeliveryOutcome outcome)
    {
        _attempts.Add(1, new KeyValuePair<string, object?>("outcome", outcome.IsDelivered ? "delivered" : outcome.WasTried ? "failed" : "not_tried"));
        if (outcome.WasTried)
        {
            _duration.Record(outcome.Duration.TotalSeconds);
        }
    }
}
