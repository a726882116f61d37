using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Lintel.Platform.Storage;

namespace Lintel.Features.Streams;

/// <summary>The log against lists, over random histories of writers, readers, pruning, restarts and failures.</summary>
public sealed class LogModelTests
{
    [Fact]
    public async Task Whatever_happens_readers_see_what_was_appended_or_are_told_to_start_again()
    {
        await using var test = new SqliteUnderTest();
        Check(test, nodes: 1, runs: 60);
    }

    [Fact]
    public async Task So_they_do_with_two_nodes_on_one_PostgreSQL()
    {
        await using var test = await PostgresUnderTest.CreateAsync();
        Check(test, nodes: 2, runs: 25);
    }

    private static void Check(DatabaseUnderTest test, int nodes, int runs)
    {
        var run = 0;
        var property = Prop.ForAll(
            Step.Histories,
            steps => LogHistory.RunAsync(test, nodes, string.Create(CultureInfo.InvariantCulture, $"history-{++run}"), steps));
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(runs), property);
    }
}
