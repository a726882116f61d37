using Lintel.Bench.Client;
using Lintel.Bench.Reporting;
using Lintel.Bench.Servers;

namespace Lintel.Bench.Scenarios;

/// <summary>
/// Whether people who are signed in can work while others sign in. Hashing passwords is meant to be expensive, so some of the
/// processor is gone by right; what is left should still go to the other requests:
/// <code>
/// hashing  = logins in the window x processor time of one login (measured with logins alone, as many at once)
/// expected = rate alone x (1 - hashing / (cores x window))
/// kept     = rate under pressure / expected
/// </code>
/// The rate alone saturates the machine (client and server share it), so it is what all cores together give.
/// </summary>
internal sealed class LoginPressureScenario : IScenario
{
    private const int Readers = 16;
    private const int SignIns = 4;
    private const double KeptLimit = 0.70;

    public string Name => "login-pressure";

    public string About => "GET /auth/me at 16 connections while 4 clients log in without pause";

    public async Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken)
    {
        await using var server = await stage.StartServerAsync(cancellationToken);
        var reader = await Account.CreateAsync(server, "reader", cancellationToken);
        using var requests = LoadGroup.OfRequests(server, Readers, HttpExchange.Get("/auth/me", reader.AccessToken));
        using var logins = new LoadGroup(await SignInsAsync(server, cancellationToken));
        LoadLoop.Run(stage.WarmUp, requests);
        LoadLoop.Run(stage.WarmUp / 2, requests, logins);

        // Logins are slow and few: windows twice as long, or one more or less would show.
        var window = stage.Window * 2;
        var rounds = new List<Round>();
        for (var i = 0; i < stage.Rounds; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            rounds.Add(Measure(server, requests, logins, window));
        }

        var kept = new Sample(rounds.Select(round => round.Kept));
        var middle = rounds.OrderBy(round => round.Kept).ElementAt(rounds.Count / 2);
        return new Findings()
            .Add(new Row(
                $"GET /auth/me beside {SignIns} logins", Show.Rate(middle.Pressed), $"expected of what hashing leaves {Show.Rate(middle.Expected)}",
                kept.Show(Show.Percent), ">= 70 %", kept.Median >= KeptLimit))
            .Note(
                $"expected = alone x (1 - logins x CPU per login / (cores x window)) = {Show.Rate(middle.Alone)} x (1 - {middle.Logins} x " +
                $"{Show.Milliseconds(middle.LoginCost * 1000)} / ({Environment.ProcessorCount} x {Show.Seconds(window.TotalSeconds)})); " +
                $"{Show.Rate(middle.Logins / window.TotalSeconds)} logins under pressure, {Show.Rate(middle.LoginsAlone)} with nothing beside them; " +
                $"requests beside logins p99 {Show.Milliseconds(middle.P99)}.");
    }

    private static Round Measure(ChildServer server, LoadGroup requests, LoadGroup logins, TimeSpan window)
    {
        LoadLoop.Run(window, requests);
        var alone = requests.PerSecond;

        // To the end of the last login, so that its processor time and its count belong together.
        var before = server.ProcessorTime;
        LoadLoop.Run(window, logins);
        var loginCost = (server.ProcessorTime - before).TotalSeconds / logins.CountWithLast;
        var loginsAlone = logins.PerSecond;

        LoadLoop.Run(window, requests, logins);
        return new Round(alone, requests.PerSecond, requests.Milliseconds(99), logins.Count, loginsAlone, loginCost, window);
    }

    private static async Task<List<Exchange>> SignInsAsync(ChildServer server, CancellationToken cancellationToken)
    {
        var exchanges = new List<Exchange>();
        for (var i = 0; i < SignIns; i++)
        {
            var account = await Account.CreateAsync(server, $"login{i}", cancellationToken);
            exchanges.Add(new HttpExchange(
                server.Endpoint,
                HttpExchange.Post("/auth/login", $$"""{"email":"{{account.Email}}","password":"{{account.Password}}"}""")));
        }

        return exchanges;
    }

    private sealed record Round(
        double Alone, double Pressed, double P99, int Logins, double LoginsAlone, double LoginCost, TimeSpan Window)
    {
        public double Expected => Alone * Math.Max(0, 1 - (Logins * LoginCost / (Environment.ProcessorCount * Window.TotalSeconds)));

        public double Kept => Pressed / Expected;
    }
}
