using Lintel.Features.Jobs.Running;
using Lintel.Features.Jobs.Watching;
using Lintel.Features.Streams;
using Lintel.Infrastructure;
using Lintel.Platform.Configuration;
using Lintel.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lintel.Features.Jobs;

/// <summary>One server's job engine without the web, on a database whose cable can be pulled.</summary>
internal sealed class EngineNode : IAsyncDisposable
{
    /// <summary>Quick enough to wait for, in the same proportions as the real ones.</summary>
    public static readonly JobOptions QuickOptions = new()
    {
        HeartbeatInterval = TimeSpan.FromMilliseconds(100),
        StopAfter = TimeSpan.FromMilliseconds(600),
        DeadAfter = TimeSpan.FromMilliseconds(1500),
        CancelGrace = TimeSpan.FromMilliseconds(300),
        ShutdownGrace = TimeSpan.FromMilliseconds(50),
    };

    private readonly IHost _host;
    private int _stopped;

    private EngineNode(IHost host, SeverableDatabase database)
    {
        _host = host;
        Database = database;
    }

    public SeverableDatabase Database { get; }

    public JobQueue Queue => Get<JobQueue>();

    public JobViewers Viewers => Get<JobViewers>();

    public JobRecovery Recovery => Get<JobRecovery>();

    public JobLeases Leases => Get<JobLeases>();

    public StreamLog Log => Get<StreamLog>();

    /// <param name="hearsOthers">False for a node all of whose hints are lost, in both directions.</param>
    public static async Task<EngineNode> StartAsync(DatabaseUnderTest test, JobKind[] kinds, JobOptions? options = null, TimeProvider? time = null, bool hearsOthers = true)
    {
        var reached = await test.OpenAsync();
        var database = new SeverableDatabase(reached);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        ((IHostApplicationBuilder)builder).Properties[typeof(SettingsReader)] = new SettingsReader(builder.Configuration, builder.Environment);
        builder.Services.AddSingleton<Database>(database);
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Hints>(services, reached));
        if (hearsOthers)
        {
            builder.Services.AddHostedService(static services => services.GetRequiredService<Hints>());
        }

        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<TimeOrderedIds>();
        builder.AddStreams();
        builder.AddJobs();
        builder.Services.AddSingleton(options ?? QuickOptions);
        foreach (var kind in kinds)
        {
            builder.Services.AddSingleton(kind);
        }

        var node = new EngineNode(builder.Build(), database);
        await node._host.StartAsync(TestContext.Current.CancellationToken);
        return node;
    }

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public async Task<Job> SubmitAsync(JobKind kind, long owner = 1, bool cancelOnDisconnect = false, Guid? viewer = null)
    {
        var request = new JobRequest(kind, owner, "{}"u8.ToArray(), 0, null, cancelOnDisconnect);
        var result = await Queue.SubmitAsync(
            request, TestContext.Current.CancellationToken, viewer is { } id ? (session, job) => Viewers.EnterAsync(session, job, id) : null);
        return result.Job!;
    }

    public async Task<Job> FindAsync(Job job) =>
        await Queue.FindAsync(job.Id, job.OwnerId, TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("There is no such job.");

    public async Task<Reader> FollowAsync(Job job, long after = 0)
    {
        var stream = await Log.FindAsync(job.StreamId, TestContext.Current.CancellationToken);
        return Reader.Follow(Get<StreamFollower>(), stream!, after);
    }

    /// <summary>Waits for the job's last event, and returns all with the job as it then is. Fails when there is more than one end, or something behind it.</summary>
    public async Task<(Job Job, Reader Reader)> WaitForEndAsync(Job job)
    {
        var reader = await FollowAsync(job);
        Assert.Equal(FollowEnd.Completed, await reader.WaitForEndAsync());
        var ended = await FindAsync(job);
        Assert.Equal(ended.State, reader.Kinds[^1]);
        Assert.Single(reader.Kinds, JobStates.IsTerminal);
        Assert.NotNull(ended.CompletedAt);
        return (ended, reader);
    }

    /// <summary>Asks the database until the job is as it should be: for what no event tells.</summary>
    public async Task<Job> WaitUntilAsync(Job job, Func<Job, bool> holds)
    {
        var now = job;
        await Eventually.HoldsAsync(async () => holds(now = await FindAsync(job)));
        return now;
    }

    /// <summary>Dies without a word: nothing it does from now on reaches the database.</summary>
    public async Task DieAsync()
    {
        Database.Sever();
        await StopAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            return;
        }

        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        await Database.DisposeAsync();
    }
}
