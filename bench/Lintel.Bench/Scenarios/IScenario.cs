using Lintel.Bench.Reporting;

namespace Lintel.Bench.Scenarios;

/// <summary>One thing that is measured, with servers of its own.</summary>
internal interface IScenario
{
    string Name { get; }

    string About { get; }

    Task<Findings> RunAsync(Stage stage, CancellationToken cancellationToken);
}
