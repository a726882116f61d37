using System.Net;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Webhooks;

internal sealed record WebhookOptions
{
    /// <summary>Networks that are sent to though they are not public.</summary>
    public IReadOnlyList<IPNetwork> Allowed { get; init; } = [];

    /// <summary>Whether webhooks may have <c>http</c> addresses: what is sent there is signed, but everybody on the way can read it.</summary>
    public bool AllowsHttp { get; init; }

    /// <summary>Webhooks that one account may have.</summary>
    public int MaxPerAccount { get; init; } = 10;

    /// <summary>Deliveries of one webhook that may wait.</summary>
    public int Queued { get; init; } = 1000;

    /// <summary>Deliveries of one webhook that are kept after their end.</summary>
    public int Kept { get; init; } = 100;

    /// <summary>Webhooks that one node sends to at once.</summary>
    public int Concurrency { get; init; } = 32;

    /// <summary>How long one attempt may take, from the name's resolution to the answer's headers.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a delivery is tried before it has failed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromDays(1);

    /// <summary>A webhook that took nothing for so long is disabled.</summary>
    public TimeSpan DisableAfter { get; init; } = TimeSpan.FromDays(3);

    /// <summary>How long the secret before the present one still signs.</summary>
    public TimeSpan RotationOverlap { get; init; } = TimeSpan.FromDays(1);

    public static WebhookOptions Read(SettingsReader settings) => new()
    {
        Allowed = settings.Networks("WEBHOOK_ALLOW"),
        AllowsHttp = settings.Flag("WEBHOOK_ALLOW_HTTP", false),
        MaxPerAccount = settings.Number("WEBHOOKS_PER_ACCOUNT", 10, 1, 100),
        Queued = settings.Number("WEBHOOK_QUEUE", 1000, 1, 100_000),
        Kept = settings.Number("WEBHOOK_DELIVERIES_KEPT", 100, 1, 10_000),
        Concurrency = settings.Number("WEBHOOK_CONCURRENCY", 32, 1, 1000),
        Timeout = TimeSpan.FromSeconds(settings.Number("WEBHOOK_TIMEOUT_SECONDS", 10, 1, 60)),
    };
}
