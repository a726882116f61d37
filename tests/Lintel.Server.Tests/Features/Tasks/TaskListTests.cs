using System.Globalization;
using System.Net;
using Lintel.Features.Accounts;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Features.Tasks;

/// <summary>What a list may cost: its size, its searches, how often it is asked for.</summary>
public abstract class TaskListTests(AccountsServer server)
{
    [Fact]
    public async Task A_page_ends_at_about_a_megabyte_and_the_next_goes_on()
    {
        using var mason = await Worker.NewAsync(server);
        var description = string.Concat(Enumerable.Repeat("🏗", 10_000));
        List<Guid> made = [];
        for (var i = 0; i < 30; i++)
        {
            made.Add(Worker.Id(await mason.MakeAsync(new { title = $"t{i}", description })));
        }

        List<Guid> listed = [];
        var pages = 0;
        for (var query = "?limit=200"; ; pages++)
        {
            using var response = await mason.SendAsync(HttpMethod.Get, "/api/tasks" + query);
            var page = await response.JsonAsync();
            Assert.InRange(response.Content.Headers.ContentLength!.Value, 1, 1_200_000);
            Assert.All(page.GetProperty("tasks").EnumerateArray(), task => Assert.Equal(description, task.GetProperty("description").GetString()));
            listed.AddRange(page.GetProperty("tasks").EnumerateArray().Select(Worker.Id));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                break;
            }

            query = $"?limit=200&after={next}";
        }

        made.Reverse();
        Assert.Equal(made, listed);
        Assert.InRange(pages, 1, 4);
    }

    [Fact]
    public async Task A_person_searches_once_at_a_time()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        await mason.MakeAsync("lintel");
        var searches = server.Services.GetRequiredService<TaskSearches>();
        Assert.True(searches.TryBegin(mason.Person.Id));
        using (var second = await mason.SendAsync(HttpMethod.Get, "/api/tasks?q=lintel"))
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, "RATE_LIMITED"), (second.StatusCode, await second.ErrorCodeAsync()));
            Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter!.Delta);
        }

        Assert.Equal(["lintel"], await mason.TitlesAsync());
        Assert.Empty(await other.TitlesAsync("?q=lintel"));
        searches.End(mason.Person.Id);
        Assert.Equal(["lintel"], await mason.TitlesAsync("?q=lintel"));
        Assert.Equal(["lintel"], await mason.TitlesAsync("?q=lintel"));
    }

    [Fact]
    public async Task Before_the_epoch_nothing_is_due()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync("whenever");
        await mason.MakeAsync(new { title = "at the epoch", due_at = "1970-01-01T00:00:00Z" });

        Assert.Empty(await mason.TitlesAsync("?due_before=1970-01-01T00:00:00Z"));
        Assert.Empty(await mason.TitlesAsync("?due_before=1969-01-01T00:00:00Z"));
        Assert.Equal(["at the epoch"], await mason.TitlesAsync("?due_before=1970-01-01T00:00:01Z"));
    }

    [Theory]
    [InlineData("GET", "/api/tasks")]
    [InlineData("GET", "/api/tasks?q=x")]
    [InlineData("GET", "/api/notifications")]
    [InlineData("POST", "/api/notifications/read")]
    public async Task Lists_and_marks_are_rate_limited(string method, string path)
    {
        using var mason = await Worker.NewAsync(server);
        using var first = await mason.SendAsync(new HttpMethod(method), path, method == "POST" ? new { } : null);
        using var second = await mason.SendAsync(new HttpMethod(method), path, method == "POST" ? new { } : null);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.True(Remaining(second) < Remaining(first));

        static int Remaining(HttpResponseMessage response) => int.Parse(response.Headers.GetValues("X-RateLimit-Remaining").Single(), CultureInfo.InvariantCulture);
    }
}

public sealed class SqliteTaskListTests(SqliteAccountsServer server) : TaskListTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresTaskListTests(PostgresAccountsServer server) : TaskListTests(server), IClassFixture<PostgresAccountsServer>;
