namespace Lintel.Features.Webhooks;

/// <summary>What webhooks can be told of.</summary>
internal static class WebhookEventTypes
{
    public const string JobCompleted = "job.completed";
    public const string JobFailed = "job.failed";
    public const string JobCancelled = "job.cancelled";
    public const string TaskCreated = "task.created";
    public const string TaskUpdated = "task.updated";
    public const string TaskCompleted = "task.completed";
    public const string TaskDeleted = "task.deleted";
    public const string TaskDue = "task.due";

    /// <summary>All of them, and those that later versions add.</summary>
    public const string Every = "*";

    /// <summary>Sent on request, whatever a webhook is told of.</summary>
    public const string Ping = "ping";

    /// <summary>What a webhook may ask for.</summary>
    public static readonly string[] Choices = [JobCompleted, JobFailed, JobCancelled, TaskCreated, TaskUpdated, TaskCompleted, TaskDeleted, TaskDue, Every];
}
