using System.Text.Json;
using Lintel.Features.Mail;
using Lintel.Features.Notifications;
using Lintel.Features.Webhooks;
using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>Tells owners of their tasks: in their inbox, by mail, and their webhooks.</summary>
internal sealed class TaskNews(WebhookEvents webhooks, Inboxes inboxes, MailQueue mail)
{
    public const string Created = "task_created";
    public const string Due = "task_due";

    /// <summary>Tells the owner, as part of <paramref name="session"/>'s unit of work.</summary>
    /// <param name="kind">What is to be told, and the name of the mail's template.</param>
    /// <param name="email">Where the mail goes; null for none.</param>
    public async ValueTask TellAsync(DbSession session, string kind, TaskItem task, string? email)
    {
        // Webhooks before inboxes, as everywhere: so that two units of work cannot wait for each other.
        await TellWebhooksAsync(session, kind == Created ? WebhookEventTypes.TaskCreated : WebhookEventTypes.TaskDue, task);
        var notice = new TaskNotice(task.Id, task.Title, task.Status, task.DueAt);
        await inboxes.AddAsync(session, task.UserId, kind, JsonSerializer.SerializeToUtf8Bytes(notice, TasksJson.Default.TaskNotice));
        if (email is not null)
        {
            // No description: nobody is to mail pages of their own to an address that may be another's.
            await mail.AddAsync(session, task.UserId, email, kind, new()
            {
                ["title"] = task.Title,
                ["due"] = task.DueAt is { } due ? MailTime.ToText(due) : null,
            });
        }
    }

    /// <summary>Tells the owner's webhooks, as part of <paramref name="session"/>'s unit of work.</summary>
    /// <param name="type">One of <see cref="WebhookEventTypes"/>.</param>
    public ValueTask TellWebhooksAsync(DbSession session, string type, TaskItem task) =>
        webhooks.AddAsync(
            session,
            task.UserId,
            type,
            new TaskEvent(task.Id, task.Title, task.Status, task.DueAt, task.CreatedAt, task.UpdatedAt, task.Version),
            TasksJson.Default.TaskEvent);
}
