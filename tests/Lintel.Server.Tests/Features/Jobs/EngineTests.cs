using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Starts job engines on one database of a test's own.</summary>
public abstract class EngineTests : IAsyncLifetime
{
    private readonly List<EngineNode> _nodes = [];

    private protected DatabaseUnderTest Test { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Test = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        if (Test is not null)
        {
            await Test.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private protected abstract Task<DatabaseUnderTest> CreateAsync();

    private protected async Task<EngineNode> StartAsync(JobKind[] kinds, JobOptions? options = null, TimeProvider? time = null, bool hearsOthers = true)
    {
        var node = await EngineNode.StartAsync(Test, kinds, options, time, hearsOthers);
        _nodes.Add(node);
        return node;
    }
}
