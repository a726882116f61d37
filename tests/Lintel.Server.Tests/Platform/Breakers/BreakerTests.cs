using Lintel.Infrastructure;

namespace Lintel.Platform.Breakers;

public sealed class BreakerTests
{
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_opens_with_the_fifth_failure_and_then_refuses_without_trying()
    {
        var breaker = Create();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("closed", breaker.State);
            await FailAsync(breaker);
        }

        Assert.Equal("open", breaker.State);
        var refusal = await Assert.ThrowsAsync<BreakerOpenException>(async () => await breaker.RunAsync(static _ => throw new InvalidOperationException("It was tried."), Cancel));
        Assert.Equal(TimeSpan.FromSeconds(30), refusal.RetryAfter);
    }

    [Fact]
    public async Task A_success_among_the_failures_keeps_it_closed()
    {
        var breaker = Create();
        for (var i = 0; i < 20; i++)
        {
            if (i == 3)
            {
                await breaker.RunAsync(static _ => default, Cancel);
            }

            await FailAsync(breaker);
        }

        Assert.Equal("closed", breaker.State);
    }

    [Fact]
    public async Task What_is_no_failure_of_the_dependency_does_not_count()
    {
        var breaker = Create(new BreakerOptions { IsFailure = static failure => failure is not FormatException });
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<FormatException>(async () => await breaker.RunAsync(static _ => throw new FormatException("Refused."), Cancel));
        }

        Assert.Equal("closed", breaker.State);
    }

    [Fact]
    public async Task After_its_time_one_call_is_let_through_and_the_others_wait_for_what_becomes_of_it()
    {
        var breaker = Create();
        await OpenAsync(breaker);
        _time.Advance(TimeSpan.FromSeconds(29));
        await AssertRefusedAsync(breaker);
        _time.Advance(TimeSpan.FromSeconds(2));
        var answer = new TaskCompletionSource();
        var probe = breaker.RunAsync(_ => new ValueTask(answer.Task), Cancel).AsTask();

        Assert.Equal("half_open", breaker.State);
        await AssertRefusedAsync(breaker);
        answer.SetResult();
        await probe;
        Assert.Equal("closed", breaker.State);
        await breaker.RunAsync(static _ => default, Cancel);
    }

    [Fact]
    public async Task A_probe_that_fails_opens_it_for_as_long_again()
    {
        var breaker = Create();
        await OpenAsync(breaker);
        _time.Advance(TimeSpan.FromSeconds(31));
        await FailAsync(breaker);

        Assert.Equal("open", breaker.State);
        _time.Advance(TimeSpan.FromSeconds(29));
        await AssertRefusedAsync(breaker);
        _time.Advance(TimeSpan.FromSeconds(2));
        await breaker.RunAsync(static _ => default, Cancel);
        Assert.Equal("closed", breaker.State);
    }

    [Fact]
    public void Two_of_one_name_are_a_mistake()
    {
        var breakers = TestBreakers.Create(_time);
        breakers.Add("mail", new());

        Assert.Throws<InvalidOperationException>(() => breakers.Add("mail", new()));
    }

    private Breaker Create(BreakerOptions? options = null) => TestBreakers.Create(_time).Add("test", options ?? new());

    private static async Task OpenAsync(Breaker breaker)
    {
        for (var i = 0; i < 5; i++)
        {
            await FailAsync(breaker);
        }
    }

    private static async Task FailAsync(Breaker breaker) =>
        await Assert.ThrowsAsync<IOException>(async () => await breaker.RunAsync(static _ => throw new IOException("Away."), Cancel));

    private static async Task AssertRefusedAsync(Breaker breaker) =>
        await Assert.ThrowsAsync<BreakerOpenException>(async () => await breaker.RunAsync(static _ => default, Cancel));
}
