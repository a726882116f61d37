namespace Lintel.Features.Accounts.Passwords;

public sealed class BcryptTests
{
    // Of the tests of crypt_blowfish 1.3 (public domain), and for the last two of Python's bcrypt.
    [Theory]
    [InlineData("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U")]
    [InlineData("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U")]
    [InlineData("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U")]
    [InlineData("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*")]
    [InlineData("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U")]
    [InlineData("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", "")]
    [InlineData("$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS", "correct horse battery")]
    public void Known_hashes_are_of_their_passwords_and_of_no_others(string hash, string password)
    {
        Assert.True(Bcrypt.IsAvailable);
        Assert.True(Bcrypt.Verify(hash, password));
        Assert.False(Bcrypt.Verify(hash, password + "x"));
        Assert.False(Bcrypt.Verify(hash[..^1] + (hash[^1] == 'a' ? 'b' : 'a'), password));
    }

    [Fact]
    public void Seventy_two_bytes_of_a_password_count_as_they_did_in_the_old_systems()
    {
        const string hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";

        Assert.True(Bcrypt.Verify(hash, new string('x', 72)));
        Assert.True(Bcrypt.Verify(hash, new string('x', 5000)));
        Assert.False(Bcrypt.Verify(hash, new string('x', 71)));
    }

    [Fact]
    public void A_password_does_not_end_with_a_zero_in_it()
    {
        Assert.False(Bcrypt.Verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U\0"));
        Assert.False(Bcrypt.Verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U\0U"));
        Assert.False(Bcrypt.Verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", "\0"));
    }

    [Theory]
    [InlineData("$2b$31$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS")]
    [InlineData("$2b$15$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS")]
    [InlineData("$2b$03$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS")]
    [InlineData("$2x$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS")]
    [InlineData("$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoO")]
    [InlineData("$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQo\0S")]
    [InlineData("$2b$04:abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS")]
    [InlineData("$6$rounds=999999999$abcdefgh$abcdefghijklmnopqrstuvwxyzabcdefg")]
    [InlineData("")]
    public void What_costs_too_much_or_is_no_hash_is_not_tried(string hash)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();

        Assert.False(Bcrypt.Verify(hash, "correct horse battery"));

        // Cost 31 would take days, 15 some seconds on a machine as slow as this may be.
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Many_threads_at_once_do_not_disturb_each_other()
    {
        const string right = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";
        var answers = new bool[200];

        Parallel.For(0, answers.Length, new ParallelOptions { CancellationToken = TestContext.Current.CancellationToken }, i =>
            answers[i] = Bcrypt.Verify(right, i % 2 == 0 ? "correct horse battery" : $"guess {i}"));

        Assert.All(answers.Index(), answer => Assert.Equal(answer.Index % 2 == 0, answer.Item));
    }
}
