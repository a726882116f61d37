using System.Net;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Features.Beams;

/// <summary>How a batch stands: <c>/stream/job/{job_id}</c>.</summary>
public abstract class BatchStatusTests(BeamsServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_waits_then_runs_then_is_complete()
    {
        using var client = await server.SignInAsync();
        var (first, second) = (server.NewGate(), server.NewGate());
        var running = await SubmitAsync(client, 3, first.Name);
        var other = await SubmitAsync(client, 1, second.Name);
        await first.Gate.WaitForArrivalAsync();
        await second.Gate.WaitForArrivalAsync();

        // An owner has two at once here.
        var waiting = await client.BatchAsync(await SubmitAsync(client, 4));
        AssertStatus(waiting, "queued", completed: 0, total: 4, failed: 0, percent: 0);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (waiting.GetProperty("started_at").ValueKind, waiting.GetProperty("completed_at").ValueKind));

        var status = await client.BatchAsync(running);
        Assert.Equal(running, status.GetProperty("job_id").GetGuid());
        AssertStatus(status, "running", completed: 0, total: 3, failed: 0, percent: 0);
        AssertTime(status.GetProperty("started_at"));
        Assert.Equal(JsonValueKind.Null, status.GetProperty("completed_at").ValueKind);

        first.Gate.Open();
        second.Gate.Open();
        await client.ReadBatchAsync(BatchRequests.Watch(running));
        await client.ReadBatchAsync(BatchRequests.Watch(other));
        var over = await client.BatchAsync(running);
        AssertStatus(over, "complete", completed: 3, total: 3, failed: 1, percent: 100);
        AssertTime(over.GetProperty("completed_at"));
        Assert.Equal(status.GetProperty("started_at").GetString(), over.GetProperty("started_at").GetString());
    }

    [Fact]
    public async Task A_batch_that_was_cancelled_says_so()
    {
        using var client = await server.SignInAsync();
        var (name, gate) = server.NewGate();
        var id = await SubmitAsync(client, 3, name);
        await gate.WaitForArrivalAsync();
        using var cancelled = await client.DeleteAsync(new Uri($"/api/jobs/{id}", UriKind.Relative), Cancel);
        Assert.Equal("cancelled", Assert.Single(await client.ReadBatchAsync(BatchRequests.Watch(id))).Kind);

        var status = await client.BatchAsync(id);
        AssertStatus(status, "cancelled", completed: 0, total: 3, failed: 0, percent: 0);
        AssertTime(status.GetProperty("completed_at"));
    }

    [Fact]
    public async Task A_batch_that_met_a_bug_has_failed()
    {
        using var client = await server.SignInAsync();
        using var submitted = await client.SubmitAsync(new { kind = "batch-design", input = JsonDocument.Parse(BatchRequests.Beams(3, "\"broken\":true")).RootElement });
        var id = (await submitted.JsonAsync()).GetProperty("job_id").GetGuid();
        Assert.Equal("failed", Assert.Single(await client.ReadBatchAsync(BatchRequests.Watch(id))).Kind);

        var status = await client.BatchAsync(id);
        AssertStatus(status, "failed", completed: 0, total: 3, failed: 0, percent: 0);
        AssertTime(status.GetProperty("completed_at"));
    }

    [Fact]
    public async Task A_batch_that_is_not_one_s_own_is_not_to_be_found()
    {
        using var owner = await server.SignInAsync();
        using var client = await server.SignInAsync();
        var others = await SubmitAsync(owner, 1);
        var noBatch = await client.CountAsync(1);

        foreach (var id in new[] { others.ToString(), noBatch.ToString(), Guid.CreateVersion7().ToString(), "1", "x" })
        {
            foreach (var route in new[] { "job", "progress" })
            {
                using var response = await client.GetAsync($"/stream/{route}/{id}", Cancel);

                Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
                Assert.Equal("NOT_FOUND", await response.ErrorCodeAsync());
            }
        }
    }

    private static async Task<Guid> SubmitAsync(HttpClient client, int beams, string? gate = null) => await client.SubmitAcceptedAsync(
        "batch-design", JsonDocument.Parse(BatchRequests.Beams(beams, gate is null ? null : $"\"gate\":\"{gate}\"")).RootElement);

    private static void AssertStatus(JsonElement batch, string status, int completed, int total, int failed, double percent)
    {
        Assert.Equal(
            ["job_id", "status", "progress", "started_at", "completed_at", "error_count"],
            batch.EnumerateObject().Select(static member => member.Name));
        Assert.Equal(status, batch.GetProperty("status").GetString());
        var progress = batch.GetProperty("progress");
        Assert.Equal(["completed", "total", "failed", "percent"], progress.EnumerateObject().Select(static member => member.Name));
        Assert.Equal((completed, total, failed), (Number(progress, "completed"), Number(progress, "total"), Number(progress, "failed")));
        Assert.Equal(percent, progress.GetProperty("percent").GetDouble());
        Assert.Equal(failed, Number(batch, "error_count"));
    }

    private static void AssertTime(JsonElement time) => Assert.EndsWith("Z", time.GetString(), StringComparison.Ordinal);

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();
}

public sealed class SqliteBatchStatusTests(SqliteBeamsServer server) : BatchStatusTests(server), IClassFixture<SqliteBeamsServer>;

public sealed class PostgresBatchStatusTests(PostgresBeamsServer server) : BatchStatusTests(server), IClassFixture<PostgresBeamsServer>;
