using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Lintel.Features.Accounts.Passwords;

public sealed class BreachedPasswordTests
{
    private const string Leaked = "a leaked horse battery";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_leaked_password_is_refused_and_only_five_digits_of_its_hash_are_told()
    {
        await using var service = await BreachService.StartAsync();
        await using var server = await StartAsync(service);
        var hash = BreachService.HashOf(Leaked);
        service.Answer = (context, prefix) => context.Response.WriteAsync(
            $"{new string('0', 35)}:7\r\n{(prefix == hash[..5] ? hash[5..].ToUpperInvariant() : new string('1', 35))}:3\r\n{new string('F', 35)}:0\r\n", Cancel);
        using var leaked = await RegisterAsync(server, Leaked);
        using var other = await RegisterAsync(server, AccountsServer.Password);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, leaked.StatusCode);
        Assert.Contains("known from a leak", await leaked.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, other.StatusCode);
        Assert.Equal([($"/range/{hash[..5]}", "true"), ($"/range/{BreachService.HashOf(AccountsServer.Password)[..5]}", "true")], service.Requests);
        Assert.DoesNotContain(hash[..5], server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_there_for_padding_alone_is_no_leak()
    {
        await using var service = await BreachService.StartAsync();
        await using var server = await StartAsync(service);
        service.Answer = static (context, _) => context.Response.WriteAsync($"{BreachService.HashOf(Leaked)[5..]}:0\r\n", Cancel);
        using var response = await RegisterAsync(server, Leaked);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Fact]
    public async Task A_service_that_does_not_work_keeps_nobody_out_and_is_soon_left_alone()
    {
        await using var service = await BreachService.StartAsync();
        await using var server = await StartAsync(service, "--BREAKER_FAILURES=3");
        service.Answer = static (context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        };
        for (var i = 0; i < 6; i++)
        {
            using var response = await RegisterAsync(server, Leaked);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        Assert.Equal(3, service.Requests.Count);
    }

    [Fact]
    public async Task One_that_is_slow_or_says_too_much_is_not_waited_for()
    {
        await using var service = await BreachService.StartAsync();
        await using var server = await StartAsync(service);
        service.Answer = static async (context, _) =>
        {
            // It never answers: it is over when the server has given up.
            var gone = new TaskCompletionSource();
            await using var aborted = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        };
        var started = Stopwatch.GetTimestamp();
        using var slow = await RegisterAsync(server, Leaked);
        var waited = Stopwatch.GetElapsedTime(started);

        var line = new string('A', 35) + ":1\r\n";
        var written = 0L;
        service.Answer = async (context, _) =>
        {
            while (!context.RequestAborted.IsCancellationRequested && written < 100_000_000)
            {
                await context.Response.WriteAsync(line, context.RequestAborted);
                written += line.Length;
            }
        };
        using var endless = await RegisterAsync(server, Leaked);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (slow.StatusCode, endless.StatusCode));
        Assert.InRange(waited, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        Assert.InRange(written, 0, 50_000_000);
    }

    [Fact]
    public async Task One_that_cannot_be_reached_keeps_nobody_out()
    {
        await using var server = await ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", "--PASSWORD_BREACH_URL=http://127.0.0.1:1/range"]);
        using var response = await RegisterAsync(server, Leaked);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    private static Task<ServerFixture> StartAsync(BreachService service, params string[] settings) =>
        ServerFixture.StartAsync(["--PASSWORD_HASH_ITERATIONS=10000", $"--PASSWORD_BREACH_URL={service.Url}", .. settings]);

    private static Task<HttpResponseMessage> RegisterAsync(ServerFixture server, string password) =>
        server.Client.PostAsJsonAsync("/auth/register", new { email = AccountsServer.NewEmail(), password }, Cancel);
}
