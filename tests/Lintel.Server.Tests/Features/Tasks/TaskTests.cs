using System.Net;
using System.Text.Json;
using Lintel.Features.Accounts;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Features.Tasks;

/// <summary>Section 8 of the contract, as far as it is about tasks.</summary>
public abstract class TaskTests(AccountsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_made_and_got_as_it_was_made()
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.PostAsync(
            new { title = " Check the lintel ", description = "See drawing 12.\nTwice.", due_at = "2999-01-31T13:00:00+01:00", user_id = mason.Person.Id, unknown = 1 });
        var made = await response.JsonAsync();

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal($"/api/tasks/{Worker.Id(made)}", response.Headers.Location!.ToString());
        Assert.Equal("\"1\"", response.Headers.ETag!.Tag);
        Assert.Equal(
            ["created_at", "description", "due_at", "id", "status", "title", "updated_at", "user_id", "version"],
            made.EnumerateObject().Select(static property => property.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("Check the lintel", "See drawing 12.\nTwice.", "pending"), (Text(made, "title"), Text(made, "description"), Text(made, "status")));
        Assert.Equal("2999-01-31T12:00:00.000000Z", Text(made, "due_at"));
        Assert.Equal(mason.Person.Id, made.GetProperty("user_id").GetInt64());
        Assert.Equal(Text(made, "created_at"), Text(made, "updated_at"));
        Assert.Equal(made.GetRawText(), (await mason.GetAsync($"/api/tasks/{Worker.Id(made)}")).GetRawText());
    }

    [Fact]
    public async Task A_task_needs_no_more_than_a_title()
    {
        using var mason = await Worker.NewAsync(server);
        var made = await mason.MakeAsync(new { title = "x", description = (string?)null, status = (string?)null, due_at = (string?)null, user_id = (long?)null });

        Assert.Equal((null, "pending", null), (Text(made, "description"), Text(made, "status"), Text(made, "due_at")));
    }

    [Theory]
    [InlineData("""{}""", "title")]
    [InlineData("""{"title":null}""", "title")]
    [InlineData("""{"title":"  "}""", "title")]
    [InlineData("""{"title":7}""", "title")]
    [InlineData("""{"title":"a\u0000b"}""", "title")]
    [InlineData("""{"title":"a\nb"}""", "title")]
    [InlineData("""{"title":"x","description":7}""", "description")]
    [InlineData("""{"title":"x","description":"a\u0000b"}""", "description")]
    [InlineData("""{"title":"x","status":"done"}""", "status")]
    [InlineData("""{"title":"x","status":"Completed"}""", "status")]
    [InlineData("""{"title":"x","status":1}""", "status")]
    [InlineData("""{"title":"x","due_at":"tomorrow"}""", "due_at")]
    [InlineData("""{"title":"x","due_at":1893456000}""", "due_at")]
    [InlineData("""{"title":"x","due_at":"0001-01-01T00:00:00+14:00"}""", "due_at")]
    [InlineData("""{"title":"x","user_id":"me"}""", "user_id")]
    [InlineData("""{"title":"x","user_id":1.5}""", "user_id")]
    [InlineData("""{"title":"","description":[],"status":"?","due_at":{},"user_id":[]}""", "description", "due_at", "status", "title", "user_id")]
    [InlineData("""[]""", "body")]
    [InlineData("""{"title":""", "body")]
    [InlineData("""{"title":"\ud800"}""", "body")]
    public async Task Every_bad_field_is_named(string body, params string[] fields)
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.Client.PostAsync("/api/tasks", new StringContent(body, null, "application/json"), Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var named = (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").EnumerateObject().Select(static field => field.Name);
        Assert.Equal(fields, named.Order(StringComparer.Ordinal));
        Assert.Empty(await mason.TitlesAsync());
        Assert.Empty(await mason.NotificationTypesAsync());
    }

    [Theory]
    [InlineData(200, 10_000, HttpStatusCode.Created)]
    [InlineData(201, 0, HttpStatusCode.UnprocessableEntity)]
    [InlineData(1, 10_001, HttpStatusCode.UnprocessableEntity)]
    public async Task Lengths_are_counted_in_characters_however_they_are_written(int title, int description, HttpStatusCode expected)
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.PostAsync(
            new { title = string.Concat(Enumerable.Repeat("🏗", title)), description = string.Concat(Enumerable.Repeat("🏗", description)) });

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_too_large_or_no_json_is_refused()
    {
        using var mason = await Worker.NewAsync(server);
        using var large = await mason.PostAsync(new { title = "x", description = new string('a', 200_000) });
        using var form = await mason.Client.PostAsync("/api/tasks", new FormUrlEncodedContent([new("title", "x")]), Cancel);

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.UnsupportedMediaType), (large.StatusCode, form.StatusCode));
    }

    [Fact]
    public async Task Text_is_text_whatever_is_written_in_it()
    {
        const string title = "'); DROP TABLE task; -- $1 % _ ~ \" \\ <script>alert(1)</script>";
        using var mason = await Worker.NewAsync(server);
        var made = await mason.MakeAsync(new { title, description = title });

        Assert.Equal((title, title), (Text(made, "title"), Text(made, "description")));
        Assert.Equal([title], await mason.TitlesAsync("?q=" + Uri.EscapeDataString("% _ ~ \" \\ <SCRIPT>")));
    }

    [Fact]
    public async Task A_task_of_another_looks_as_if_it_were_not_there()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("mine");
        var requests = new (HttpMethod Method, object? Body)[] { (HttpMethod.Get, null), (HttpMethod.Patch, new { title = "yours" }), (HttpMethod.Delete, null) };
        foreach (var (method, body) in requests)
        {
            using var theirs = await other.SendAsync(method, $"/api/tasks/{id}", body);
            using var none = await other.SendAsync(method, $"/api/tasks/{Guid.CreateVersion7()}", body);
            Assert.Equal(HttpStatusCode.NotFound, theirs.StatusCode);
            Assert.Equal(await Error(none), await Error(theirs));
        }

        using var completed = await other.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { id } });
        Assert.Equal(id, (await completed.JsonAsync()).GetProperty("not_found")[0].GetGuid());
        Assert.Empty(await other.TitlesAsync());
        Assert.Equal(("mine", "pending"), (Text(await mason.GetAsync($"/api/tasks/{id}"), "title"), Text(await mason.GetAsync($"/api/tasks/{id}"), "status")));
    }

    [Fact]
    public async Task Nobody_makes_lists_or_gives_away_tasks_for_another()
    {
        using var mason = await Worker.NewAsync(server);
        using var other = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("mine");
        using var made = await mason.PostAsync(new { title = "theirs", user_id = other.Person.Id });
        using var given = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{id}", new { user_id = other.Person.Id });
        using var listed = await mason.SendAsync(HttpMethod.Get, $"/api/tasks?user_id={other.Person.Id}");

        Assert.All([made, given, listed], static response => Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode));
        Assert.Equal("FORBIDDEN", await made.ErrorCodeAsync());
        Assert.Empty(await other.TitlesAsync());
        Assert.Equal(["mine"], await mason.TitlesAsync($"?user_id={mason.Person.Id}"));
    }

    [Fact]
    public async Task Tasks_need_their_scope()
    {
        var person = await server.SignInAsync();
        var allowed = await server.NewKeyAsync(person.Tokens.Access, ["tasks"]);
        var other = await server.NewKeyAsync(person.Tokens.Access, ["design"]);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", allowed.Text)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(("X-API-Key", other.Text)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(("X-API-Key", "test-static-key")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync());
    }

    [Fact]
    public async Task A_change_changes_what_it_names_and_nothing_else()
    {
        using var mason = await Worker.NewAsync(server);
        var made = await mason.MakeAsync(new { title = "a", description = "b", due_at = "2999-01-01T00:00:00Z" });
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{Worker.Id(made)}", new { status = "in_progress", description = (string?)null });
        var changed = await response.JsonAsync();

        Assert.Equal(("a", null, "in_progress"), (Text(changed, "title"), Text(changed, "description"), Text(changed, "status")));
        Assert.Equal((Text(made, "due_at"), Text(made, "created_at")), (Text(changed, "due_at"), Text(changed, "created_at")));
        Assert.True(changed.GetProperty("updated_at").GetDateTimeOffset() > made.GetProperty("updated_at").GetDateTimeOffset());
        Assert.Equal("\"2\"", response.Headers.ETag!.Tag);

        using var same = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{Worker.Id(made)}", new { status = "in_progress" });
        Assert.Equal("\"2\"", same.Headers.ETag!.Tag);
        using var bad = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{Worker.Id(made)}", new { title = (string?)null, status = (string?)null });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, bad.StatusCode);
    }

    [Theory]
    [InlineData("\"1\"", HttpStatusCode.OK)]
    [InlineData("\"7\", \"1\"", HttpStatusCode.OK)]
    [InlineData("*", HttpStatusCode.OK)]
    [InlineData("\"2\"", HttpStatusCode.Conflict)]
    [InlineData("W/\"1\"", HttpStatusCode.Conflict)]
    [InlineData("1", HttpStatusCode.Conflict)]
    [InlineData("\"01\"", HttpStatusCode.Conflict)]
    public async Task A_change_is_made_to_the_version_it_was_meant_for_only(string tag, HttpStatusCode expected)
    {
        using var mason = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("a");
        using var response = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{id}", new { title = "b" }, ("If-Match", tag));

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? "b" : "a", Text(await mason.GetAsync($"/api/tasks/{id}"), "title"));
    }

    [Fact]
    public async Task Of_many_changes_to_one_version_at_once_one_is_made()
    {
        using var mason = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("a");
        var statuses = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            using var response = await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{id}", new { title = $"b{i}" }, ("If-Match", "\"1\""));
            return response.StatusCode;
        }));

        Assert.Equal(1, statuses.Count(static status => status == HttpStatusCode.OK));
        Assert.Equal(15, statuses.Count(static status => status == HttpStatusCode.Conflict));
        Assert.Equal(2, (await mason.GetAsync($"/api/tasks/{id}")).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        using var mason = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("a");
        using var same = await mason.SendAsync(HttpMethod.Get, $"/api/tasks/{id}", null, ("If-None-Match", "\"x\", W/\"1\""));
        using var other = await mason.SendAsync(HttpMethod.Get, $"/api/tasks/{id}", null, ("If-None-Match", "\"2\""));

        Assert.Equal((HttpStatusCode.NotModified, "\"1\"", 0), (same.StatusCode, same.Headers.ETag!.Tag, (await same.Content.ReadAsByteArrayAsync(Cancel)).Length));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_page_that_has_not_changed_is_not_sent_again_and_any_change_shows_at_once()
    {
        using var mason = await Worker.NewAsync(server);
        using var someone = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("a");
        var (tag, before) = await PageAsync();
        using (var same = await mason.SendAsync(HttpMethod.Get, "/api/tasks", null, ("If-None-Match", tag)))
        {
            Assert.Equal((HttpStatusCode.NotModified, tag, true), (same.StatusCode, same.Headers.ETag!.Tag, same.Headers.CacheControl is { Private: true, NoCache: true, NoStore: false }));
        }

        Assert.Empty(await someone.TitlesAsync());
        foreach (var change in new Func<Task>[]
        {
            () => mason.MakeAsync("b"),
            async () => (await mason.SendAsync(HttpMethod.Patch, $"/api/tasks/{id}", new { title = "c" })).Dispose(),
            async () => (await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { id } })).Dispose(),
            async () => (await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{id}")).Dispose(),
        })
        {
            await change();
            var (changedTag, after) = await PageAsync();
            Assert.NotEqual((tag, before), (changedTag, after));
            (tag, before) = (changedTag, after);
        }

        Assert.Equal(["b"], await mason.TitlesAsync());

        async Task<(string Tag, string Body)> PageAsync()
        {
            using var response = await mason.SendAsync(HttpMethod.Get, "/api/tasks");
            return (response.Headers.ETag!.Tag, await response.Content.ReadAsStringAsync(Cancel));
        }
    }

    [Fact]
    public async Task A_deleted_task_is_gone_and_a_stale_delete_is_refused()
    {
        using var mason = await Worker.NewAsync(server);
        var id = await mason.MakeAsync("a");
        using var stale = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{id}", null, ("If-Match", "\"9\""));
        using var deleted = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{id}", null, ("If-Match", "\"1\""));
        using var again = await mason.SendAsync(HttpMethod.Delete, $"/api/tasks/{id}");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.NoContent, HttpStatusCode.NotFound), (stale.StatusCode, deleted.StatusCode, again.StatusCode));
        Assert.Empty(await mason.TitlesAsync());
    }

    [Fact]
    public async Task Many_are_completed_at_once()
    {
        using var mason = await Worker.NewAsync(server);
        var (a, b, left) = (await mason.MakeAsync("a"), await mason.MakeAsync("b"), await mason.MakeAsync("left"));
        var missing = Guid.CreateVersion7();
        using var response = await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { b, missing, a, b } });
        var answer = await response.JsonAsync();
        using var again = await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = new[] { a } });

        Assert.Equal([b, a], answer.GetProperty("completed").EnumerateArray().Select(static id => id.GetGuid()));
        Assert.Equal([missing], answer.GetProperty("not_found").EnumerateArray().Select(static id => id.GetGuid()));
        Assert.Equal(["b", "a"], await mason.TitlesAsync("?status=completed"));
        Assert.Equal("pending", Text(await mason.GetAsync($"/api/tasks/{left}"), "status"));
        Assert.Equal(2, (await mason.GetAsync($"/api/tasks/{a}")).GetProperty("version").GetInt64());
    }

    [Theory]
    [InlineData("""{"ids":[]}""")]
    [InlineData("""{"ids":null}""")]
    [InlineData("""{}""")]
    [InlineData("""{"ids":["x"]}""")]
    [InlineData("""{"ids":"x"}""")]
    public async Task A_list_of_ids_that_is_none_is_refused(string body)
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.Client.PostAsync("/api/tasks/complete", new StringContent(body, null, "application/json"), Cancel);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task At_most_500_are_completed_at_once()
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.SendAsync(HttpMethod.Post, "/api/tasks/complete", new { ids = Enumerable.Range(0, 501).Select(static _ => Guid.CreateVersion7()) });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task The_list_is_newest_first_in_pages_that_hold_while_others_are_added()
    {
        using var mason = await Worker.NewAsync(server);
        for (var i = 0; i < 5; i++)
        {
            await mason.MakeAsync($"t{i}");
            server.Clock.Advance(TimeSpan.FromMilliseconds(2));
        }

        List<string> titles = [];
        for (var query = "?limit=2"; ;)
        {
            var page = await mason.GetAsync("/api/tasks" + query);
            titles.AddRange(page.GetProperty("tasks").EnumerateArray().Select(static task => Text(task, "title")!));
            await mason.MakeAsync("newer");
            if (page.GetProperty("next").GetString() is not { } next)
            {
                break;
            }

            query = $"?limit=2&after={next}";
        }

        Assert.Equal(["t4", "t3", "t2", "t1", "t0"], titles);
    }

    [Fact]
    public async Task The_list_is_filtered_and_searched()
    {
        using var mason = await Worker.NewAsync(server);
        await mason.MakeAsync(new { title = "Lintel ÜBER der Tür", due_at = "2998-01-01T00:00:00Z" });
        await mason.MakeAsync(new { title = "100% done", status = "completed" });
        await mason.MakeAsync(new { title = "other", description = "the LINTEL again", status = "in_progress", due_at = "2999-01-01T00:00:00Z" });

        Assert.Equal(["other", "Lintel ÜBER der Tür"], (await mason.TitlesAsync("?q=lintel")).OrderDescending(StringComparer.Ordinal));
        Assert.Equal(["Lintel ÜBER der Tür"], await mason.TitlesAsync("?q=" + Uri.EscapeDataString("über der tÜR")));
        Assert.Equal(["100% done"], await mason.TitlesAsync("?q=0%25"));
        Assert.Empty(await mason.TitlesAsync("?q=1__%25"));
        Assert.Equal(["other"], await mason.TitlesAsync("?q=lintel&status=in_progress"));
        Assert.Equal(["Lintel ÜBER der Tür"], await mason.TitlesAsync("?due_before=2998-06-01T00:00:00Z"));
        Assert.Empty(await mason.TitlesAsync("?q=otherthe"));
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=201", "limit")]
    [InlineData("?limit=many", "limit")]
    [InlineData("?after=yesterday", "after")]
    [InlineData("?status=done", "status")]
    [InlineData("?q=%00", "q")]
    [InlineData("?due_before=soon", "due_before")]
    public async Task A_list_that_cannot_be_is_refused(string query, string field)
    {
        using var mason = await Worker.NewAsync(server);
        using var response = await mason.SendAsync(HttpMethod.Get, "/api/tasks" + query);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.True((await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").TryGetProperty(field, out _));
    }

    [Fact]
    public async Task Many_made_at_once_are_all_there_and_all_told_of()
    {
        using var mason = await Worker.NewAsync(server);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => mason.MakeAsync($"t{i}")));

        Assert.Equal(100, (await mason.TitlesAsync("?limit=200")).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(100, (await mason.GetAsync("/api/notifications/unread")).GetProperty("unread").GetInt64());
    }

    private static string? Text(JsonElement task, string name) => task.GetProperty(name).GetString();

    private static async Task<string> Error(HttpResponseMessage response) => (await response.JsonAsync()).GetProperty("error").GetRawText();

    private async Task<HttpStatusCode> StatusAsync(params (string Name, string Value)[] headers)
    {
        using var response = await server.SendAsync(HttpMethod.Get, "/api/tasks", null, headers);
        return response.StatusCode;
    }
}

public sealed class SqliteTaskTests(SqliteAccountsServer server) : TaskTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class PostgresTaskTests(PostgresAccountsServer server) : TaskTests(server), IClassFixture<PostgresAccountsServer>;
