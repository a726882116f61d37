using System.Net;
using Lintel.Features.Accounts;
using Lintel.Features.ApiKeys;
using Lintel.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Lintel.Platform.Breakers;

/// <summary>What operators see of the breakers, and that only they do.</summary>
public sealed class BreakerEndpointTests(SqliteAccountsServer server) : IClassFixture<SqliteAccountsServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_sees_them_and_closes_one_by_hand()
    {
        var breaker = server.Services.GetRequiredService<Breakers>().Add("shop", new());
        var key = await server.NewAdminKeyAsync((await server.SignInAsync()).Tokens.Access);
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<IOException>(async () => await breaker.RunAsync(static _ => throw new IOException("Away."), Cancel));
        }

        using var listed = await server.SendAsync(HttpMethod.Get, "/api/admin/breakers", null, ("X-API-Key", key));
        var all = (await listed.JsonAsync()).GetProperty("breakers").EnumerateArray().ToList();
        Assert.Contains(all, static one => one.GetProperty("name").GetString() == "mail" && one.GetProperty("state").GetString() == "closed");
        var shop = all.Single(static one => one.GetProperty("name").GetString() == "shop");
        Assert.Equal(("open", "Away.", 5), (shop.GetProperty("state").GetString(), shop.GetProperty("reason").GetString(), shop.GetProperty("failures").GetInt32()));
        Assert.Equal(30, (shop.GetProperty("retry_at").GetDateTimeOffset() - shop.GetProperty("since").GetDateTimeOffset()).TotalSeconds);

        using var reset = await server.SendAsync(HttpMethod.Post, "/api/admin/breakers/shop/reset", null, ("X-API-Key", key));
        Assert.Equal("closed", (await reset.JsonAsync()).GetProperty("state").GetString());
        await breaker.RunAsync(static _ => default, Cancel);
        using var unknown = await server.SendAsync(HttpMethod.Post, "/api/admin/breakers/other/reset", null, ("X-API-Key", key));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/api/admin/breakers")]
    [InlineData("POST", "/api/admin/breakers/mail/reset")]
    public async Task Nobody_else_does(string method, string path)
    {
        var someone = await server.SignInAsync();
        using var nobody = await server.SendAsync(new(method), path, null);
        using var person = await server.SendAsync(new(method), path, null, ("Authorization", "Bearer " + someone.Tokens.Access));
        using var machine = await server.SendAsync(new(method), path, null, ("X-API-Key", "test-static-key"));

        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [nobody.StatusCode, person.StatusCode, machine.StatusCode]);
    }
}
