using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>A service of leaked passwords on a free port, as others run it: <c>GET /range/21BD1</c>.</summary>
internal sealed class BreachService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BreachService(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Path, string Padding)> Requests { get; } = [];

    public Func<HttpContext, string, Task> Answer { get; set; } = static (_, _) => Task.CompletedTask;

    public string Url => _app.Urls.First() + "/range";

    public static async Task<BreachService> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var service = new BreachService(app);
        app.MapGet("/range/{prefix}", async (HttpContext context, string prefix) =>
        {
            service.Requests.Enqueue((context.Request.Path + context.Request.QueryString, context.Request.Headers["Add-Padding"].ToString()));
            await service.Answer(context, prefix);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return service;
    }

    [SuppressMessage("Security", "CA5350", Justification = "The services of this protocol know passwords by their SHA-1.")]
    public static string HashOf(string password) => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password)));

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
