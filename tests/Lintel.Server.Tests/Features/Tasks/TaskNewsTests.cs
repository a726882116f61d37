using System.Text;
using System.Text.RegularExpressions;
using Lintel.Features.Accounts;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Tasks;

/// <summary>What owners hear of their tasks: e-mail, notifications, reminders.</summary>
public abstract class TaskNewsTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_task_is_mailed_to_its_owner()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync(new { title = "Check the <lintel>", description = "See\ndrawing.", due_at = "2999-01-31T12:00:00Z" });
        var mail = await MailAsync(mason.Person.Email, 1);

        Assert.Contains("Subject: New task: Check the <lintel>", mail[0], StringComparison.Ordinal);
        var parts = Parts(mail[0]);
        Assert.Contains("Due: 31 January 2999, 12:00 UTC", parts[0], StringComparison.Ordinal);
        Assert.Contains("Check the <lintel>", parts[0], StringComparison.Ordinal);
        Assert.Contains("<h2>Check the &lt;lintel&gt;</h2>", parts[1], StringComparison.Ordinal);
        Assert.All(parts, static part => Assert.DoesNotContain("drawing", part, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Beyond_twenty_in_an_hour_an_owner_is_told_and_not_mailed_whatever_key_asks()
    {
        // At the beginning of an hour.
        var now = server.Clock.GetUtcNow();
        server.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(now.Ticks % TimeSpan.TicksPerHour));
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        var keys = new[] { await server.NewKeyAsync(mason.Person.Tokens.Access, ["tasks"]), await server.NewKeyAsync(mason.Person.Tokens.Access, ["tasks"]) };
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            using var response = await server.SendAsync(HttpMethod.Post, "/api/tasks", new { title = $"t{i}" }, ("X-API-Key", keys[i % 2].Text));
            Assert.Equal(System.Net.HttpStatusCode.Created, response.StatusCode);
        }));

        Assert.Equal(50, (await mason.GetAsync("/api/notifications/unread")).GetProperty("unread").GetInt64());
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM mail WHERE owner_id = $1", mason.Person.Id) == 0);
        Assert.Equal(20, (await MailAsync(mason.Person.Email, 20)).Length);
        await other.MakeAsync("another's");
        Assert.Single(await MailAsync(other.Person.Email, 1));

        server.Clock.Advance(TimeSpan.FromHours(1));
        await mason.SignInAgainAsync();
        await mason.MakeAsync("next");
        Assert.Equal(21, (await MailAsync(mason.Person.Email, 21)).Length);
    }

    [Fact]
    public async Task A_task_that_is_not_kept_is_not_mailed_or_told_of()
    {
        using var mason = await Worker.NewAsync(server);
        var task = new TaskItem(Guid.CreateVersion7(), mason.Person.Id, "twice", null, TaskStates.Pending, null, null, server.Clock.GetUtcNow(), server.Clock.GetUtcNow(), 1);
        var table = server.Services.GetRequiredService<TaskTable>();
        await table.AddAsync(task, mason.Person.Email, Cancel);

        // The same id again: the unit of work fails as a whole.
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => table.AddAsync(task, mason.Person.Email, Cancel));
        await Assert.ThrowsAnyAsync<Exception>(() => server.Database.WriteAsync(
            async session =>
            {
                await server.Services.GetRequiredService<TaskNews>().TellAsync(session, TaskNews.Created, task, mason.Person.Email);
                throw new InvalidOperationException("After all was written.");
            },
            Cancel));
        await MailAsync(mason.Person.Email, 1);

        Assert.Equal(["task_created"], await mason.NotificationTypesAsync());
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM mail WHERE owner_id = $1", mason.Person.Id) == 0);
        Assert.Single(await MailAsync(mason.Person.Email, 1));
    }

    [Fact]
    public async Task The_reminder_comes_once_an_hour_before_and_survives_a_restart()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync(new { title = "soon", due_at = server.Clock.GetUtcNow().AddHours(2) });
        await RemindAsync();
        Assert.Equal(["task_created"], await mason.NotificationTypesAsync());

        // The reminder is in the database, not in the memory of the server that was told of it.
        await server.RestartAsync();
        using var again = new Worker(server, mason.Person);
        server.Clock.Advance(TimeSpan.FromMinutes(61));
        await again.SignInAgainAsync();
        await RemindAsync();
        await RemindAsync();
        var mail = await MailAsync(mason.Person.Email, 2);

        Assert.Equal(["task_due", "task_created"], await again.NotificationTypesAsync());
        Assert.Single(mail, static text => text.Contains("Subject: Task is due: soon", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_task_that_is_due_within_the_hour_is_reminded_of_when_it_is_due()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync(new { title = "soon", due_at = server.Clock.GetUtcNow().AddMinutes(30) });
        server.Clock.Advance(TimeSpan.FromMinutes(29));
        await mason.SignInAgainAsync();
        await RemindAsync();
        Assert.Equal(["task_created"], await mason.NotificationTypesAsync());
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await RemindAsync();

        Assert.Equal(["task_due", "task_created"], await mason.NotificationTypesAsync());
    }

    [Fact]
    public async Task Nobody_is_reminded_of_what_is_done_deleted_overdue_or_put_off()
    {
        using var mason = await Worker.NewAsync(server);
        var soon = server.Clock.GetUtcNow().AddHours(2);
        var patched = Worker.Id(await mason.MakeAsync(new { title = "patched", due_at = soon }));
        var completed = Worker.Id(await mason.MakeAsync(new { title = "completed", due_at = soon }));
        var deleted = Worker.Id(await mason.MakeAsync(new { title = "deleted", due_at = soon }));
        var later = Worker.Id(await mason.MakeAsync(new { title = "later", due_at = soon }));
        await mason.MakeAsync(new { title = "overdue", due_at = "2001-01-01T00:00:00Z" });
        using var patch = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{patched}", new { status = "completed" });
        using var complete = await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { completed } });
        using var delete = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{deleted}");
        using var putOff = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{later}", new { due_at = soon.AddDays(30) });
        server.Clock.Advance(TimeSpan.FromMinutes(90));
        await mason.SignInAgainAsync();
        await RemindAsync();

        Assert.All([patch, complete, delete, putOff], static response => Assert.True(response.IsSuccessStatusCode));
        Assert.DoesNotContain("task_due", await mason.NotificationTypesAsync());

        // Opened again, it is due again.
        using var reopen = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{patched}", new { status = "pending" });
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        await mason.SignInAgainAsync();
        await RemindAsync();
        Assert.Equal("task_due", (await mason.NotificationTypesAsync())[0]);
    }

    [Fact]
    public async Task A_locked_account_is_mailed_nothing()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync(new { title = "soon", due_at = server.Clock.GetUtcNow().AddHours(2) });
        await MailAsync(mason.Person.Email, 1);
        await server.LockAsync(mason.Person);
        server.Clock.Advance(TimeSpan.FromMinutes(61));
        await RemindAsync();

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM task WHERE user_id = $1 AND remind_at IS NOT NULL", mason.Person.Id));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM mail WHERE owner_id = $1", mason.Person.Id));
        Assert.Single(await MailAsync(mason.Person.Email, 1));
    }

    [Fact]
    public async Task Of_many_nodes_that_look_at_once_each_reminder_is_given_by_one()
    {
        using var mason = await Worker.NewAsync(server);
        for (var i = 0; i < 150; i++)
        {
            await mason.MakeAsync(new { title = $"t{i}", due_at = server.Clock.GetUtcNow().AddHours(2) });
        }

        server.Clock.Advance(TimeSpan.FromMinutes(61));
        await mason.SignInAgainAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(RemindAsync)));

        // The server's own worker takes part, and may be the one who has the last of them in hand.
        await Eventually.HoldsAsync(async () => await server.CountAsync("SELECT count(*) FROM task WHERE user_id = $1 AND remind_at IS NOT NULL", mason.Person.Id) == 0);
        Assert.Equal(300, (await mason.GetAsync("/api/notifications/unread")).GetProperty("unread").GetInt64());
    }

    /// <summary>As the worker does it by itself every second.</summary>
    private Task RemindAsync() => server.Services.GetRequiredService<TaskReminderWorker>().RemindAsync(Cancel);

    /// <summary>The messages to an address, when there are as many.</summary>
    private Task<string[]> MailAsync(string email, int count) => MailFolder.WaitAsync(server.DataFolder, count, email);

    private static string[] Parts(string mail) =>
    [
        .. Regex.Matches(mail.ReplaceLineEndings("\n"), "base64\n\n(?<text>[A-Za-z0-9+/=\n]+)\n-", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5))
            .Select(static part => Encoding.UTF8.GetString(Convert.FromBase64String(part.Groups["text"].Value))),
    ];
}

public sealed class SqliteTaskNewsTests(SqliteAccountsServer server) : TaskNewsTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresTaskNewsTests(PostgresAccountsServer server) : TaskNewsTests(server), IClassFixture<PostgresAccountsServer>;
