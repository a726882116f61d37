using System.Globalization;
using System.Text.Json;
using Lintel.Features.Mail;
using Lintel.Features.Notifications;
using Lintel.Platform.Storage;

namespace Lintel.Features.Tasks;

/// <summary>Tells owners of their tasks: in their inbox and by mail.</summary>
internal sealed class TaskNews(Inboxes inboxes, MailQueue mail)
{
    public const string Created = "task_created";
    public const string Due = "task_due";

    /// <summary>Tells the owner, as part of <paramref name="session"/>'s unit of work.</summary>
    /// <param name="kind">What is to be told, and the name of the mail's template.</param>
    /// <param name="email">Where the mail goes; null for none.</param>
    public async ValueTask TellAsync(DbSession session, string kind, TaskItem task, string? email)
    {
        var notice = new TaskNotice(task.Id, task.Title, task.Status, task.DueAt);
        await inboxes.AddAsync(session, task.UserId, kind, JsonSerializer.SerializeToUtf8Bytes(notice, TasksJson.Default.TaskNotice));
        if (email is not null)
        {
            await mail.AddAsync(session, task.UserId, email, kind, new()
            {
                ["title"] = task.Title,
                ["description"] = task.Description,
                ["due"] = task.DueAt?.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            });
        }
    }
}
