using System.Buffers.Binary;
using System.Diagnostics;
using Lintel.Infrastructure;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Lintel.Features.Accounts.Passwords;

public sealed class PasswordHashingTests
{
    private const string Password = "correct horse battery";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_password_is_right_wrong_or_nobodys()
    {
        using var passwords = Create(1000);
        var hash = await passwords.HashAsync(Password, "203.0.113.1", Cancel);

        Assert.Equal(new PasswordCheck(PasswordVerdict.Right), await passwords.CheckAsync(hash, Password, "203.0.113.1", Cancel));
        Assert.Equal(new PasswordCheck(PasswordVerdict.Wrong), await passwords.CheckAsync(hash, Password + " ", "203.0.113.1", Cancel));
        Assert.Equal(new PasswordCheck(PasswordVerdict.Wrong), await passwords.CheckAsync(null, Password, "203.0.113.1", Cancel));
        Assert.Equal(new PasswordCheck(PasswordVerdict.Wrong), await passwords.CheckAsync("not a hash", Password, "203.0.113.1", Cancel));
    }

    [Fact]
    public async Task The_hash_is_the_frameworks_with_SHA512_and_the_rounds_that_were_asked_for()
    {
        using var passwords = Create(12_345);
        var hash = await passwords.HashAsync(Password, "203.0.113.1", Cancel);
        var bytes = Convert.FromBase64String(hash!);

        Assert.Equal(PasswordVerificationResult.Success, Framework(12_345).VerifyHashedPassword(this, hash!, Password));
        Assert.Equal((1, 2u, 12_345u), (bytes[0], BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)), BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(5))));
    }

    [Fact]
    public async Task Two_hashes_of_one_password_differ()
    {
        using var passwords = Create(1000);

        Assert.NotEqual(await passwords.HashAsync(Password, "203.0.113.1", Cancel), await passwords.HashAsync(Password, "203.0.113.1", Cancel));
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_is_made_anew_when_its_password_is_known_to_be_right()
    {
        using var passwords = Create(2000);
        var old = Framework(1000).HashPassword(this, Password);

        var check = await passwords.CheckAsync(old, Password, "203.0.113.1", Cancel);

        Assert.Equal(PasswordVerdict.Right, check.Verdict);
        Assert.Equal(new PasswordCheck(PasswordVerdict.Right), await passwords.CheckAsync(check.NewHash, Password, "203.0.113.1", Cancel));
        Assert.Equal(new PasswordCheck(PasswordVerdict.Wrong), await passwords.CheckAsync(old, "wrong password", "203.0.113.1", Cancel));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_account_without_a_password_is_refused_as_slowly_as_nobodys()
    {
        using var passwords = Create(500_000);
        var nobodys = await TimeAsync(null);
        for (var i = 0; i < 2; i++)
        {
            nobodys = TimeSpan.FromTicks(Math.Min(nobodys.Ticks, (await TimeAsync(null)).Ticks));
        }

        Assert.True(await TimeAsync("") > nobodys / 2);

        async Task<TimeSpan> TimeAsync(string? hash)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(new PasswordCheck(PasswordVerdict.Wrong), await passwords.CheckAsync(hash, Password, "203.0.113.1", Cancel));
            return Stopwatch.GetElapsedTime(started);
        }
    }

    [Fact]
    public async Task A_hash_of_more_rounds_is_left_alone()
    {
        using var passwords = Create(1000);

        Assert.Equal(new PasswordCheck(PasswordVerdict.Right), await passwords.CheckAsync(Framework(2000).HashPassword(this, Password), Password, "203.0.113.1", Cancel));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_full_queue_takes_no_more_until_someone_leaves_or_is_served()
    {
        using var passwords = Create(2_000_000, queue: 2);
        using var leaving = new CancellationTokenSource();
        var running = passwords.HashAsync(Password, "203.0.113.1", Cancel);
        await Eventually.HoldsAsync(() => passwords.Waiting == 0);

        var waiting = passwords.CheckAsync(null, Password, "203.0.113.1", leaving.Token);
        var other = passwords.HashAsync(Password, "203.0.113.1", leaving.Token);
        Assert.Equal(2, passwords.Waiting);
        Assert.Null(await passwords.HashAsync(Password, "203.0.113.1", Cancel));
        Assert.Equal(new PasswordCheck(PasswordVerdict.Busy), await passwords.CheckAsync(null, Password, "203.0.113.1", Cancel));

        await leaving.CancelAsync();
        Assert.Equal(0, passwords.Waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
        Assert.NotNull(await running);
    }

    [Fact]
    public async Task A_client_that_fills_the_queue_gives_way_to_another()
    {
        using var passwords = Create(300_000, queue: 3);
        var greedy = Enumerable.Range(0, 4).Select(_ => passwords.CheckAsync(null, Password, "203.0.113.1", Cancel)).ToList();

        var other = await passwords.HashAsync(Password, "198.51.100.7", Cancel);

        Assert.NotNull(other);
        var verdicts = await Task.WhenAll(greedy);
        Assert.Contains(new PasswordCheck(PasswordVerdict.Busy), verdicts);
        Assert.Contains(new PasswordCheck(PasswordVerdict.Wrong), verdicts);
    }

    [Fact]
    public async Task The_end_of_the_server_lets_go_of_those_who_wait()
    {
        var passwords = Create(500_000);
        var tasks = Enumerable.Range(0, 5).Select(_ => passwords.HashAsync(Password, "203.0.113.1", Cancel)).ToList();

        passwords.Dispose();

        var all = Task.WhenAll(tasks);
        await all.ContinueWith(static _ => { }, TaskScheduler.Default);
        Assert.True(all.IsCompleted);
        Assert.Null(await passwords.HashAsync(Password, "203.0.113.1", Cancel));
    }

    private static PasswordHashing Create(int iterations, int queue = 100) =>
        new(new AccountOptions { IsRegistrationOpen = true, PasswordIterations = iterations, PasswordQueue = queue, PasswordThreads = 1 }, TimeProvider.System, new ImportedPasswords());

    private static PasswordHasher<object> Framework(int iterations) => new(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
}
