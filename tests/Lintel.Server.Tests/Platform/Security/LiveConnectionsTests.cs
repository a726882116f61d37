using Lintel.Infrastructure;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Platform.Security;

public sealed class LiveConnectionsTests : IDisposable
{
    private readonly MovableClock _clock = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly RevokedCredentials _revoked;
    private readonly LiveConnections _connections;

    public LiveConnectionsTests()
    {
        _revoked = new RevokedCredentials(_clock);
        _connections = new LiveConnections(_revoked, _clock, _lifetime, Microsoft.Extensions.Logging.Abstractions.NullLogger<LiveConnections>.Instance);
    }

    [Fact]
    public void The_end_of_a_session_ends_all_its_connections_and_no_other()
    {
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var mine = Enumerable.Range(0, 3).Select(_ => Open(one)).ToList();
        var others = new[] { Open(two), Open(null) };

        Revoke(one);

        Assert.All(mine, connection => Assert.Equal(EndReason.Revoked, connection.Ended));
        Assert.All(others, connection => Assert.Equal(EndReason.None, connection.Ended));
    }

    [Fact]
    public void A_connection_that_opens_while_its_session_ends_ends_too()
    {
        var session = Guid.CreateVersion7();
        Revoke(session);

        Assert.Equal(EndReason.Revoked, Open(session).Ended);
    }

    [Fact]
    public async Task However_openings_and_the_end_fall_none_stays_open()
    {
        for (var round = 0; round < 200; round++)
        {
            var session = Guid.CreateVersion7();
            var opening = Task.Run(() => Enumerable.Range(0, 10).Select(_ => Open(session)).ToList(), TestContext.Current.CancellationToken);
            var ending = Task.Run(() => Revoke(session), TestContext.Current.CancellationToken);
            await ending;

            Assert.All(await opening, connection => Assert.Equal(EndReason.Revoked, connection.Ended));
        }
    }

    [Fact]
    public void Connections_that_were_removed_in_any_order_are_left_alone()
    {
        var session = Guid.CreateVersion7();
        var opened = Enumerable.Range(0, 5).Select(_ => Open(session)).ToList();
        foreach (var index in new[] { 2, 4, 0 })
        {
            _connections.Remove(opened[index]);
        }

        Revoke(session);

        Assert.Equal(2, _connections.Count);
        Assert.Equal([false, true, false, true, false], opened.Select(connection => connection.Ended == EndReason.Revoked));
    }

    [Fact]
    public void A_connection_that_opens_while_the_server_stops_is_told_so()
    {
        _lifetime.StopApplication();

        Assert.Equal(EndReason.ServerStopping, Open(null).Ended);
    }

    [Fact]
    public void Revocations_are_forgotten_when_no_token_of_theirs_can_be_alive()
    {
        var (early, late) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        _revoked.Add(early, _clock.GetUtcNow() + TimeSpan.FromMinutes(15));
        _revoked.Add(late, _clock.GetUtcNow() + TimeSpan.FromMinutes(20));
        _clock.Advance(TimeSpan.FromMinutes(16));

        _revoked.Prune();

        Assert.Equal((false, true, 1), (_revoked.Contains(early), _revoked.Contains(late), _revoked.Count));
    }

    public void Dispose() => _connections.Dispose();

    private void Revoke(Guid session)
    {
        _revoked.Add(session, DateTimeOffset.MaxValue);
        _connections.EndAll(session);
    }

    private Connection Open(Guid? session)
    {
        var connection = new Connection(new Caller { OwnerId = 1, SessionId = session, Scopes = Scopes.Person, RateLimitKey = "" });
        _connections.Add(connection);
        return connection;
    }

    private sealed class Connection(Caller caller) : LiveConnection(caller)
    {
        public EndReason Ended { get; private set; }

        public override void Tick(DateTimeOffset now)
        {
        }

        public override void End(EndReason reason) => Ended = reason;
    }
}
