using System.Diagnostics.Metrics;
using Lintel.Infrastructure;
using Lintel.Platform.Configuration;

namespace Lintel.Platform.Breakers;

/// <summary>What another node found out, settings, and what is counted.</summary>
public sealed class OutageTests
{
    private readonly ManualTime _time = new();
    private readonly List<TimeSpan?> _told = [];
    private readonly Breaker _breaker;

    public OutageTests()
    {
        var breakers = TestBreakers.Create(_time);
        breakers.Changed = change => _told.Add(change.OpenFor);
        _breaker = breakers.Add("test", new());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_another_node_found_out_of_service_is_left_alone_here()
    {
        _breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");

        Assert.Equal(("open", false), (_breaker.State, _breaker.IsClosed));
        Assert.Equal(("open", "Away.", _time.GetUtcNow().AddSeconds(20)), (_breaker.Status.State, _breaker.Status.Reason, _breaker.Status.RetryAt));
        var refusal = await Assert.ThrowsAsync<BreakerOpenException>(CallAsync);
        Assert.Equal(TimeSpan.FromSeconds(20), refusal.RetryAfter);
        Assert.Empty(_told);
    }

    [Fact]
    public async Task After_its_time_one_call_sees_and_its_success_is_told()
    {
        _breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");
        _time.Advance(TimeSpan.FromSeconds(20));
        var answer = new TaskCompletionSource();
        var probe = _breaker.RunAsync(_ => new ValueTask(answer.Task), Cancel).AsTask();

        Assert.Equal("half_open", _breaker.State);
        await Assert.ThrowsAsync<BreakerOpenException>(CallAsync);
        answer.SetResult();
        await probe;

        Assert.Equal(("closed", true), (_breaker.State, _breaker.IsClosed));
        Assert.Equal([null], _told);
        await CallAsync();
    }

    [Fact]
    public async Task One_failure_of_that_call_opens_it_again_and_is_told()
    {
        _breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");
        _time.Advance(TimeSpan.FromSeconds(20));
        await FailAsync();

        Assert.Equal("open", _breaker.State);
        Assert.Equal([TimeSpan.FromSeconds(30)], _told);
        await Assert.ThrowsAsync<BreakerOpenException>(CallAsync);
    }

    [Fact]
    public async Task A_call_that_is_given_up_leaves_the_place_to_another()
    {
        _breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");
        _time.Advance(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await _breaker.RunAsync(static _ => throw new OperationCanceledException(), Cancel));

        Assert.Equal("half_open", _breaker.State);
        await CallAsync();
        Assert.Equal("closed", _breaker.State);
    }

    [Fact]
    public async Task A_refusal_of_that_one_request_shows_that_the_dependency_works()
    {
        var breaker = TestBreakers.Create(_time).Add("test", new() { IsFailure = static failure => failure is not FormatException });
        breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");
        _time.Advance(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAsync<FormatException>(async () => await breaker.RunAsync(static _ => throw new FormatException(), Cancel));

        Assert.Equal("closed", breaker.State);
    }

    [Fact]
    public async Task That_it_works_again_elsewhere_closes_it_here_whoever_opened_it()
    {
        await OpenAsync();
        _breaker.HearOpened(TimeSpan.FromSeconds(20), "Away.");
        _told.Clear();
        await _breaker.HearClosedAsync();

        Assert.Equal("closed", _breaker.State);
        Assert.Empty(_told);
        await CallAsync();
    }

    [Fact]
    public async Task Closed_by_hand_it_is_closed_at_once_and_told()
    {
        await OpenAsync();
        Assert.Equal("Away.", _breaker.Status.Reason);
        await _breaker.ResetAsync();

        Assert.Equal(new BreakerStatus("closed", _time.GetUtcNow(), null, null), _breaker.Status);
        Assert.Equal([TimeSpan.FromSeconds(30), null], _told);
        await CallAsync();
    }

    [Fact]
    public void Settings_change_all_breakers_or_one()
    {
        var breakers = TestBreakers.Create(_time, ("BREAKER_FAILURES", "7"), ("BREAKER_OPEN", "40"), ("BREAKER_OAUTH_GITHUB_OPEN", "3"), ("BREAKER_OAUTH_GITHUB_WINDOW", "9"));
        var mail = breakers.Add("mail", new()).Options;
        var github = breakers.Add("oauth-github", new()).Options;

        Assert.Equal((7, 60, 40), (mail.Failures, mail.Window.TotalSeconds, mail.OpenFor.TotalSeconds));
        Assert.Equal((7, 9, 3), (github.Failures, github.Window.TotalSeconds, github.OpenFor.TotalSeconds));
    }

    [Theory]
    [InlineData("BREAKER_FAILURES", "1")]
    [InlineData("BREAKER_MAIL_OPEN", "soon")]
    public void A_wrong_setting_is_named(string name, string value)
    {
        var failure = Assert.Throws<InvalidSettingsException>(() => TestBreakers.Create(_time, (name, value)));
        Assert.StartsWith(name, Assert.Single(failure.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transitions_and_refusals_are_counted()
    {
        using var meters = TestBreakers.Meters();
        List<string> counted = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == BreakerMetrics.MeterName && instrument.Meter.Scope == meters)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            counted.Add($"{instrument.Name} {string.Join(' ', tags.ToArray().Select(static tag => tag.Value))} {value}"));
        listener.Start();

        var breaker = TestBreakers.Create(_time, meters, ("BREAKER_FAILURES", "2")).Add("test", new());
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<IOException>(async () => await breaker.RunAsync(static _ => throw new IOException("Away."), Cancel));
        }

        await Assert.ThrowsAsync<BreakerOpenException>(async () => await breaker.RunAsync(static _ => default, Cancel));
        await breaker.ResetAsync();

        Assert.Equal(["lintel.breaker.transitions test open 1", "lintel.breaker.refusals test 1", "lintel.breaker.transitions test closed 1"], counted);
    }

    private async Task CallAsync() => await _breaker.RunAsync(static _ => default, Cancel);

    private async Task FailAsync() =>
        await Assert.ThrowsAsync<IOException>(async () => await _breaker.RunAsync(static _ => throw new IOException("Away."), Cancel));

    private async Task OpenAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            await FailAsync();
        }
    }
}
