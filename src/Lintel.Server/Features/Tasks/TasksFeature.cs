using Lintel.Features.Mail;
using Lintel.Features.Notifications;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Privacy;

namespace Lintel.Features.Tasks;

internal sealed record TaskOptions
{
    /// <summary>How long before a task is due its owner is reminded.</summary>
    public TimeSpan ReminderLead { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many tasks one person may have.</summary>
    public int MaxTasks { get; init; } = 10_000;

    public static TaskOptions Read(SettingsReader settings) => new()
    {
        ReminderLead = TimeSpan.FromMinutes(settings.Number("TASK_REMINDER_MINUTES", 60, 0, 43200)),
        MaxTasks = settings.Number("TASKS_PER_ACCOUNT", 10_000, 1, 1_000_000),
    };
}

internal static class TasksFeature
{
    public static void AddTasks(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(TaskOptions.Read);
        builder.AddJson(TasksJson.Default);
        builder.DescribeTag("Tasks", "What you have to do: made, changed without overwriting each other, searched, completed many at once, and reminded of before it is due.");
        builder.AddMailTemplate(TaskNews.Created);
        builder.AddMailTemplate(TaskNews.Due);
        builder.AddNotificationKind(TaskNews.Created, typeof(TaskNotice));
        builder.AddNotificationKind(TaskNews.Due, typeof(TaskNotice));
        builder.Services.AddSingleton<IPersonalData, TaskPersonalData>();
        builder.Services.AddSingleton<TaskNews>();
        builder.Services.AddSingleton<TaskTable>();
        builder.Services.AddSingleton<TaskSearches>();
        builder.Services.AddSingleton<TaskReminderWorker>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<TaskReminderWorker>());
    }
}
