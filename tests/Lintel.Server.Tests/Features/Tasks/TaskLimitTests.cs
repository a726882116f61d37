using System.Net;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;

namespace Lintel.Features.Tasks;

/// <summary>How many tasks one account may have, where that is five.</summary>
public abstract class TaskLimitTests(AccountsServer server)
{
    private const int Limit = 5;

    [Fact]
    public async Task Of_many_made_at_once_no_more_are_kept_and_told_of_than_one_may_have()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => mason.PostAsync(new { title = $"t{i}" })));
        var refused = responses.Where(static response => response.StatusCode == HttpStatusCode.Conflict).ToArray();
        var error = (await refused[0].JsonAsync()).GetProperty("error");

        Assert.Equal(Limit, responses.Count(static response => response.StatusCode == HttpStatusCode.Created));
        Assert.Equal(20 - Limit, refused.Length);
        Assert.Equal(("CONFLICT", Limit), (error.GetProperty("code").GetString(), error.GetProperty("details").GetProperty("limit_tasks").GetInt32()));
        Assert.Equal(Limit, (await mason.TitlesAsync()).Length);
        Assert.Equal(Limit, (await mason.NotificationTypesAsync()).Length);
        await other.MakeAsync("another's");
    }

    [Fact]
    public async Task A_task_that_is_deleted_makes_room_once()
    {
        using var mason = await Worker.NewAsync(server);
        var first = await mason.MakeAsync("first");
        for (var i = 1; i < Limit; i++)
        {
            await mason.MakeAsync($"t{i}");
        }

        Assert.Equal(HttpStatusCode.Conflict, await MakeAsync());
        var deleted = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using var response = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{first}");
            return response.StatusCode;
        }));

        Assert.Equal(1, deleted.Count(static status => status == HttpStatusCode.NoContent));
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict), (await MakeAsync(), await MakeAsync()));

        async Task<HttpStatusCode> MakeAsync()
        {
            using var response = await mason.PostAsync(new { title = "more" });
            return response.StatusCode;
        }
    }
}

public sealed class SqliteTaskLimitServer() : AccountsServer(TestDatabaseKind.Sqlite, new MovableClock(), "--TASKS_PER_ACCOUNT=5");

public sealed class PostgresTaskLimitServer() : AccountsServer(TestDatabaseKind.Postgres, new MovableClock(), "--TASKS_PER_ACCOUNT=5");

public sealed class SqliteTaskLimitTests(SqliteTaskLimitServer server) : TaskLimitTests(server), IClassFixture<SqliteTaskLimitServer>;

public sealed class PostgresTaskLimitTests(PostgresTaskLimitServer server) : TaskLimitTests(server), IClassFixture<PostgresTaskLimitServer>;
