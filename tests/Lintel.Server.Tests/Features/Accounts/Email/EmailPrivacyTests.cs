using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Email;

/// <summary>Nobody learns who has an account, neither from answers nor from the time they take, nor from a copy of the database.</summary>
public abstract class EmailPrivacyTests(EmailServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/auth/password/forgot")]
    [InlineData("/auth/email/code")]
    [InlineData("/auth/email/verify/request")]
    public async Task Known_and_unknown_addresses_get_one_answer_in_the_same_time(string path)
    {
        await AssertAlikeAsync(path, static email => new { email }, HttpStatusCode.Accepted);
        await server.SettleAsync();
    }

    [Fact]
    public async Task So_they_do_with_a_wrong_code()
    {
        await AssertAlikeAsync("/auth/login/code", static email => new { email, code = "12345678" }, HttpStatusCode.Unauthorized, "/auth/email/code");
    }

    [Fact]
    public async Task A_copy_of_the_database_shows_no_link_and_no_code()
    {
        var person = await server.SignInAsync();
        var reset = await server.ResetTokenAsync(person.Email);
        await server.CodeAsync(person.Email);
        var hash = await server.Database.ReadAsync(
            session => session.QueryAsync("SELECT hash FROM email_link WHERE account_id = $1", static row => (byte[])row.GetValue(0), person.Id), Cancel);

        Assert.NotEmpty(hash);
        Assert.All(hash, kept => Assert.NotEqual(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(reset))), Convert.ToHexString(kept)));
        Assert.DoesNotContain(reset, server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(person.Email, server.Log.Text, StringComparison.Ordinal);
    }

    /// <summary>
    /// The times of both kinds, in an order that is drawn by lot, are compared by rank: of alike ones half of all pairs have the first kind slower. The margin is wide for a machine
    /// that does other things too; the hash or the message that an unknown address would be spared puts nearly all pairs on one side.
    /// </summary>
    private async Task AssertAlikeAsync(string path, Func<string, object> body, HttpStatusCode expected, string? before = null)
    {
        const int Each = 120;
        var tries = new List<(string Email, bool IsKnown)>();
        for (var i = 0; i < Each; i++)
        {
            var known = AccountsServer.NewEmail();
            await server.ExecuteAsync(
                "INSERT INTO account (email, email_normalized, password_hash, created_at) VALUES ($1, $1, 'none', 0)", known);
            tries.Add((known, true));
            tries.Add((AccountsServer.NewEmail(), false));
        }

        if (before is not null)
        {
            foreach (var (email, _) in tries)
            {
                await server.AskAsync(before, email);
            }

            await server.SettleAsync();
        }

        var order = tries.ToArray();
        Random.Shared.Shuffle(order);
        using var warm = await server.PostAsync(path, body(AccountsServer.NewEmail()));
        var (times, answers) = (new List<(bool IsKnown, double Time)>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var (email, isKnown) in order)
        {
            var started = Stopwatch.GetTimestamp();
            using var response = await server.Client.PostAsJsonAsync(path, body(email), Cancel);
            times.Add((isKnown, Stopwatch.GetElapsedTime(started).TotalMicroseconds));
            Assert.Equal(expected, response.StatusCode);
            var json = await response.JsonAsync();
            answers.Add(json.TryGetProperty("error", out var error) ? error.GetRawText() : json.GetRawText());
        }

        var familiar = times.Where(static time => time.IsKnown).Select(static time => time.Time).ToArray();
        var unknown = times.Where(static time => !time.IsKnown).Select(static time => time.Time).ToArray();
        var slower = familiar.Sum(one => unknown.Count(other => one > other)) / (double)(familiar.Length * unknown.Length);
        Assert.Single(answers);
        Assert.InRange(slower, 0.3, 0.7);
        TestContext.Current.SendDiagnosticMessage($"{path}: known slower in {slower:P0} of pairs, medians {Median(familiar):F0} and {Median(unknown):F0} µs");
    }

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);
}

public sealed class EmailPrivacyOnSqliteTests(SqliteEmailServer server) : EmailPrivacyTests(server), IClassFixture<SqliteEmailServer>;

public sealed class EmailPrivacyOnPostgresTests(PostgresEmailServer server) : EmailPrivacyTests(server), IClassFixture<PostgresEmailServer>;
