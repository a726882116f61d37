using System.Net;
using Lintel.Features.Accounts;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;

namespace Lintel.Platform.Sockets;

/// <summary>What an operator is told of the open sockets.</summary>
public sealed class SocketStatusTests(SqliteAccountsServer server) : IClassFixture<SqliteAccountsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_sees_how_many_sockets_are_open_on_which_route()
    {
        var person = await server.SignInAsync();
        var admin = await server.NewAdminKeyAsync(person.Tokens.Access);
        Assert.Equal("""{"open":0,"routes":[]}""", await StatusAsync(admin));

        var first = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/one"), "Authorization", "Bearer " + person.Tokens.Access);
        await using var second = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/two"), "Authorization", "Bearer " + person.Tokens.Access);
        await using var third = await SocketClient.OpenAsync(server.SocketAddress("/ws/design/two"), "X-API-Key", "test-static-key");
        await using var unknown = await SocketClient.OpenAsync(server.SocketAddress("/ws/execute"));

        Assert.Equal(
            """{"open":4,"routes":[{"route":"/ws/design/{session_id}","open":3,"owners":2},{"route":"/ws/execute","open":1,"owners":0}]}""", await StatusAsync(admin));

        await first.CloseAsync();
        await first.DisposeAsync();
        await Eventually.HoldsAsync(async () => (await StatusAsync(admin)).Contains("\"open\":2,\"owners\":2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nobody_else_is_told()
    {
        var someone = await server.SignInAsync();

        using var nobody = await server.Client.GetAsync("/api/websocket/status", Cancel);
        using var person = await server.SendAsync(HttpMethod.Get, "/api/websocket/status", null, ("Authorization", "Bearer " + someone.Tokens.Access));
        using var machine = await server.SendAsync(HttpMethod.Get, "/api/websocket/status", null, ("X-API-Key", "test-static-key"));

        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [nobody.StatusCode, person.StatusCode, machine.StatusCode]);
    }

    private async Task<string> StatusAsync(string key)
    {
        using var response = await server.SendAsync(HttpMethod.Get, "/api/websocket/status", null, ("X-API-Key", key));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancel);
    }
}
