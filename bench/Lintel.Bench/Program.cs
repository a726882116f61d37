using Lintel.Bench.Reporting;
using Lintel.Bench.Scenarios;

namespace Lintel.Bench;

internal static class Program
{
    private static readonly IScenario[] Scenarios =
    [
        new Is456Scenario(),
        new SandboxScenario(),
        new ExecuteScenario(),
        new LogScenario(),
        new BatchScenario(),
        new LiveScenario(),
        new ChatScenario(),
        new MeScenario(),
        new TasksScenario(),
        new LimiterScenario(),
        new RefreshScenario(),
        new SignInScenario(),
        new LoginPressureScenario(),
        new StartupScenario(),
        new FollowersScenario(),
        new FilesScenario(),
    ];

    /// <summary>0: everything was measured, whether or not it met its target. 1: something could not be measured. 2: a wrong option.</summary>
    public static async Task<int> Main(string[] arguments)
    {
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            interrupted.Cancel();
        };

        try
        {
            var options = BenchOptions.Parse(arguments);
            if (options.Help || options.List)
            {
                Console.WriteLine(options.Help ? BenchOptions.Usage : string.Join('\n', Scenarios.Select(each => $"{each.Name,-16}{each.About}")));
                return 0;
            }

            return await RunAsync(options, interrupted.Token);
        }
        catch (UsageException wrong)
        {
            Console.Error.WriteLine(wrong.Message);
            Console.Error.WriteLine(BenchOptions.Usage);
            return 2;
        }
    }

    private static async Task<int> RunAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        var chosen = Choose(options.Only);
        using var stage = await Stage.SetAsync(options, cancellationToken);
        var report = new Report(options.Quick);
        var failures = 0;
        foreach (var scenario in chosen)
        {
            Console.Error.WriteLine($"{scenario.Name}: {scenario.About} ...");
            try
            {
                report.Add(scenario.Name, await scenario.RunAsync(stage, cancellationToken));
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                // One broken scenario must not cost the figures of the others.
                failures++;
                report.AddFailure(scenario.Name, failure);
                Console.Error.WriteLine(failure);
            }
        }

        Console.WriteLine(report.ToText());
        if (options.Markdown is not null)
        {
            MarkdownFile.Write(options.Markdown, report.ToMarkdown(), options.IsPartial);
        }

        return failures == 0 ? 0 : 1;
    }

    private static IScenario[] Choose(IReadOnlySet<string> only)
    {
        var unknown = only.Except(Scenarios.Select(each => each.Name)).ToArray();
        return unknown.Length > 0
            ? throw new UsageException($"No scenario is called {string.Join(", ", unknown)}.")
            : [.. Scenarios.Where(each => only.Count == 0 || only.Contains(each.Name))];
    }
}
