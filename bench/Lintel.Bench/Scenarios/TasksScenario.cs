using System.Net;
using System.Text.Json;
using Lintel.Bench.Client;
using Lintel.Bench.Reporting;

namespace Lintel.Bench.Scenarios;

/// <summary>An ordinary record behind a login: read by its owner, and made, each a durable transaction with a notification.</summary>
internal sealed class TasksScenario : IScenario
{
    private const int Readers = 64;
    private const int Writers = 32;
    private const double ReadShareLimit = 0.45;
    private const double WriteRateLimit = 5_000;
    private const string Task = """{"title":"Check the lintel over the west door","description":"Look for cracks.","status":"pending"}""";

    public string Name => "tasks";

    public string About => "GET /api/tasks/{id} at 64 connections, POST /api/tasks at 32";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        await using var quiet = await stage.StartServerAsync(stage.NewFolder(), new Dictionary<string, string> { ["MAIL"] = "off" }, cancellationToken);
        await using var peer = await stage.StartBaselineAsync(cancellationToken);
        var reader = await Account.CreateAsync(server, "reader", cancellationToken);
        var id = await CreateAsync(server.Endpoint, reader.AccessToken, cancellationToken);

        using var gets = LoadGroup.OfRequests(server, Readers, HttpExchange.Get($"/api/tasks/{id}", reader.AccessToken));
        using var bare = LoadGroup.OfRequests(peer, Readers, HttpExchange.Get("/empty"));
        using var posts = await WritersAsync(server, cancellationToken);
        using var quietPosts = await WritersAsync(quiet, cancellationToken);
        var (get, empty) = (new MeasuredLoad(server, gets), new MeasuredLoad(peer, bare));
        foreach (var group in (LoadGroup[])[gets, bare, quietPosts])
        {
            LoadLoop.Run(stage.WarmUp, group);
        }

        for (var round = 0; round < stage.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            get.Run(stage.Window);
            empty.Run(stage.Window);
        }

        var made = new MeasuredLoad(quiet, quietPosts);
        for (var round = 0; round < stage.Rounds; round++)
        {
            made.Run(stage.Window);
        }

        LoadLoop.Run(stage.WarmUp, posts);
        var mailed = new MeasuredLoad(server, posts);
        for (var round = 0; round < stage.Rounds; round++)
        {
            mailed.Run(stage.Window);
        }

        var share = get.Rate.Median / empty.Rate.Median;
        return new Findings()
            .Add(new Row(
                $"GET /api/tasks/{{id}}, {Readers} connections", get.Rate.Show(Show.Rate), $"bare GET /empty {empty.Rate.Show(Show.Rate)}",
                Show.Percent(share), ">= 45 %", share >= ReadShareLimit))
            .Add(new Row(
                $"POST /api/tasks, {Writers} clients, mail off", made.Rate.Show(Show.Rate), Target: ">= 5,000/s", Met: made.Rate.Median >= WriteRateLimit))
            .Add(new Row($"POST /api/tasks, {Writers} clients, mail written to files beside", mailed.Rate.Show(Show.Rate)))
            .Note(
                "A new task is a durable transaction of its row and the notification of its owner's inbox, and with mail of the message that waits; the messages are then written as files by the same process. "
                + $"Processor time of the server for each: read {get.Cost.Show(Show.Microseconds)}, made {made.Cost.Show(Show.Microseconds)}, with mail {mailed.Cost.Show(Show.Microseconds)}.");
    }

    private static async Task<LoadGroup> WritersAsync(Servers.ChildServer server, CancellationToken cancellationToken)
    {
        var exchanges = new List<Exchange>();
        for (var i = 0; i < Writers; i++)
        {
            var account = await Account.CreateAsync(server, $"writer{i}", cancellationToken);
            exchanges.Add(new HttpExchange(server.Endpoint, HttpExchange.Post("/api/tasks", Task, account.AccessToken), HttpStatusCode.Created));
        }

        return new LoadGroup(exchanges);
    }

    private static async Task<string> CreateAsync(IPEndPoint server, string token, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{server}/api/tasks") { Content = new StringContent(Task, null, "application/json") };
        request.Headers.Authorization = new("Bearer", token);
        using var response = await client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var task = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellationToken));
        return task.RootElement.GetProperty("id").GetString()!;
    }
}
