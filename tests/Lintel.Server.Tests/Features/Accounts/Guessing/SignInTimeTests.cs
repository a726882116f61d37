using System.Diagnostics;
using System.Net;

namespace Lintel.Features.Accounts.Guessing;

/// <summary>How long a refusal takes does not tell whether there is such an account, however often it is tried.</summary>
public abstract class SignInTimeTests(AccountsServer server)
{
    private const int Pairs = 200;

    // Of a million runs in which nothing differs, fewer than one is further out than this many standard deviations. Were an unknown address answered without a hash, it would be 17.
    private const double MostDeviations = 5;

    [Fact(Timeout = 120_000)]
    public async Task Known_and_unknown_addresses_are_refused_in_the_same_time()
    {
        var known = (await server.SignInAsync()).Email;
        var unknown = AccountsServer.NewEmail();
        for (var i = 0; i < 10; i++)
        {
            await TimeAsync(known);
            await TimeAsync(unknown);
        }

        // By turns, and either first: whatever else the machine does meets both alike.
        List<(long Time, bool IsKnown)> times = [];
        for (var i = 0; i < Pairs; i++)
        {
            var isKnownFirst = Random.Shared.Next(2) == 0;
            times.Add((await TimeAsync(isKnownFirst ? known : unknown), isKnownFirst));
            times.Add((await TimeAsync(isKnownFirst ? unknown : known), !isKnownFirst));
        }

        Assert.InRange(Deviations(times), -MostDeviations, MostDeviations);
    }

    [Fact]
    public void The_measure_sees_a_difference()
    {
        var same = Enumerable.Range(0, 400).Select(static i => ((long)i * 7919 % 400, i % 2 == 0)).ToList();
        var apart = Enumerable.Range(0, 400).Select(static i => ((long)(i * 7919 % 400) + (i % 2 == 0 ? 150 : 0), i % 2 == 0)).ToList();

        Assert.InRange(Deviations(same), -MostDeviations, MostDeviations);
        Assert.True(Deviations(apart) > MostDeviations);
    }

    /// <summary>Wilcoxon's rank sum of one group, in standard deviations from what it is where both groups are alike. It knows no outliers, of which a busy machine has many.</summary>
    private static double Deviations(List<(long Time, bool IsKnown)> times)
    {
        double count = times.Count / 2;
        var ranks = times.OrderBy(static measured => measured.Time).Select(static (measured, rank) => measured.IsKnown ? rank + 1.0 : 0).Sum();
        return (ranks - (count * ((2 * count) + 1) / 2)) / Math.Sqrt(count * count * ((2 * count) + 1) / 12);
    }

    private async Task<long> TimeAsync(string email)
    {
        var started = Stopwatch.GetTimestamp();
        using var response = await server.PostAsync("/auth/login", new { email, password = "wrong horse battery" });
        var time = Stopwatch.GetTimestamp() - started;
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        return time;
    }
}

public sealed class SignInTimeOnSqliteTests(SqliteAccountsServer server) : SignInTimeTests(server), IClassFixture<SqliteAccountsServer>;

public sealed class SignInTimeOnPostgresTests(PostgresAccountsServer server) : SignInTimeTests(server), IClassFixture<PostgresAccountsServer>;
