using Lintel.Platform.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Features.Streams;

/// <summary>One server's part in the log, without the web: its own connections, its own feeds, and what it hears of other nodes.</summary>
internal sealed class LogNode : IAsyncDisposable
{
    private readonly IHostedService[] _workers;

    private LogNode(Database database, bool hearsOthers)
    {
        Database = database;
        Hints = new Hints(database, TimeProvider.System, NullLogger<Hints>.Instance);
        Feeds = new StreamFeeds(Hints);
        Log = new StreamLog(database, Feeds, TimeProvider.System);
        Follower = new StreamFollower(Log, Feeds);
        var worker = new StreamFeedWorker(database, Feeds, TimeProvider.System, NullLogger<StreamFeedWorker>.Instance);
        _workers = hearsOthers ? [Hints, worker] : [worker];
    }

    public Database Database { get; }

    public Hints Hints { get; }

    public StreamFeeds Feeds { get; }

    public StreamLog Log { get; }

    public StreamFollower Follower { get; }

    /// <param name="hearsOthers">False for a node whose hints are all lost.</param>
    public static async Task<LogNode> StartAsync(DatabaseUnderTest test, bool hearsOthers = true)
    {
        var node = new LogNode(await test.OpenAsync(), hearsOthers);
        foreach (var worker in node._workers)
        {
            await worker.StartAsync(CancellationToken.None);
        }

        return node;
    }

    /// <summary>Makes an empty stream of a name that no other has.</summary>
    public Task<long> CreateStreamAsync(string name) => Database.WriteAsync(session => Log.CreateAsync(session, name), CancellationToken.None);

    public async Task<StreamInfo> InfoAsync(long streamId) =>
        await Log.FindAsync(streamId, CancellationToken.None) ?? throw new InvalidOperationException("There is no such stream.");

    public Task<AppendResult> AppendAsync(long streamId, StreamEvent[] events, long fence = 0, bool close = false) =>
        Log.AppendAsync(streamId, events, fence, close, TestContext.Current.CancellationToken);

    /// <summary>Every event that is kept, as text.</summary>
    public async Task<List<(long Seq, string Text)>> ReadAllAsync(long streamId, long after = 0)
    {
        List<(long, string)> all = [];
        while (await Log.ReadAsync(streamId, after, CancellationToken.None) is { } page)
        {
            foreach (var item in page.Events)
            {
                all.Add((++after, TestEvent.TextOf(item)));
            }
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            await worker.StopAsync(CancellationToken.None);
        }

        await Database.DisposeAsync();
    }
}
