using System.Globalization;
using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Infrastructure;

namespace Lintel.Clients;

/// <summary>Clients of others, as they come from npm, watch a job over a connection that breaks: nothing is missing and nothing comes twice.</summary>
public sealed class StreamClientTests(SqliteJobsServer server) : IClassFixture<SqliteJobsServer>
{
    private const int Events = 20_000;
    private const int CutAfter = 400_000;

    [Fact]
    public async Task EventSource_reconnects_by_itself_and_goes_on_where_it_was()
    {
        var (id, token) = await SubmitAsync();
        using var client = NodeProgram.Start(
            "follow-events.mjs", new Uri(server.BaseAddress, $"/api/jobs/{id}/events").AbsoluteUri, token, CutAfter.ToString(CultureInfo.InvariantCulture));
        var seen = await client.ReadAsync();

        Assert.Equal((2, 1), (seen.GetProperty("opened").GetInt32(), seen.GetProperty("cut").GetInt32()));
        AssertComplete(seen);
        Assert.Equal(Events, seen.GetProperty("ids").EnumerateArray().Select(static id => id.GetString()).Distinct().Count());
    }

    [Fact]
    public async Task A_WebSocket_that_comes_back_with_the_last_id_goes_on_where_it_was()
    {
        var (id, token) = await SubmitAsync();
        using var client = NodeProgram.Start(
            "watch-socket.mjs", server.BaseAddress.AbsoluteUri, $"/ws/jobs/{id}", token, CutAfter.ToString(CultureInfo.InvariantCulture));
        var seen = await client.ReadAsync();

        Assert.Equal((2, 1, 1000), (seen.GetProperty("opened").GetInt32(), seen.GetProperty("cut").GetInt32(), seen.GetProperty("code").GetInt32()));
        AssertComplete(seen);
    }

    private async Task<(Guid Id, string Token)> SubmitAsync()
    {
        var token = await server.NewTokenAsync();
        using var client = server.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return (await client.SubmitAcceptedAsync("count", new { n = Events }), token);
    }

    private static void AssertComplete(JsonElement seen) =>
        Assert.Equal(Enumerable.Range(1, Events), seen.GetProperty("numbers").EnumerateArray().Select(static number => number.GetInt32()));
}
