using Lintel.Sandbox.Infrastructure;

namespace Lintel.Features.Execution;

[CollectionDefinition(nameof(OrdinaryUserExecutionTests), DisableParallelization = true)]
public sealed class OrdinaryUserExecution;

/// <summary>
/// Root gives each program a user of its own, an ordinary user runs programs as itself: what holds for a server of the one need not hold for the other.
/// So when these tests are run by root, all that concern running code are run once more by an ordinary user, after the others: side by side they would measure each other.
/// </summary>
[Collection(nameof(OrdinaryUserExecutionTests))]
public sealed class OrdinaryUserExecutionTests
{
    [Fact(Timeout = 900_000)]
    public async Task A_server_of_an_ordinary_user_runs_code_as_well_as_root_s()
    {
        OrdinaryUser.SkipUnlessRoot();

        await OrdinaryUser.RunTestsAsync("1890000002", least: 120, "-namespace", "Lintel.Features.Execution");
    }
}
