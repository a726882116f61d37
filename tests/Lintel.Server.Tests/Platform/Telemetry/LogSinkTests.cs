using System.Text;

namespace Lintel.Platform.Telemetry;

public sealed class LogSinkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Lines_of_many_threads_arrive_whole_and_in_each_threads_order()
    {
        const int threads = 8, lines = 20_000;
        var output = new MemoryStream();
        using (var sink = new LogSink(output, DescribeLoss))
        {
            // Fewer bytes than the buffer holds, so that none may be dropped.
            Parallel.For(0, threads, thread =>
            {
                for (var i = 0; i < lines; i++)
                {
                    sink.Write(Encoding.ASCII.GetBytes($"{thread} {i}\n"), isUrgent: i % 1000 == 0);
                }
            });
        }

        var next = new int[threads];
        foreach (var line in Encoding.ASCII.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ').Select(int.Parse).ToArray();
            Assert.Equal(next[parts[0]]++, parts[1]);
        }

        Assert.All(next, static count => Assert.Equal(lines, count));
    }

    [Fact]
    public void A_reader_that_stalls_costs_lines_but_never_time()
    {
        using var output = new StallingStream();
        using var sink = new LogSink(output, DescribeLoss);
        var line = Encoding.ASCII.GetBytes(new string('x', 999) + "\n");

        // Far more than is buffered: this returns at all only because nothing waits for the reader.
        const int sent = 20_000;
        for (var i = 0; i < sent; i++)
        {
            sink.Write(line, isUrgent: false);
        }

        output.Resume();
        Assert.True(sink.Flush(Patience));

        var received = output.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var losses = received.Where(static text => text.StartsWith("lost ", StringComparison.Ordinal)).Select(static text => long.Parse(text[5..])).ToArray();
        Assert.NotEmpty(losses);
        Assert.Equal(sent, received.Length - losses.Length + losses.Sum());
    }

    [Fact]
    public void A_reader_that_never_comes_back_does_not_hold_up_the_end()
    {
        using var output = new StallingStream();
        var sink = new LogSink(output, DescribeLoss);
        sink.Write("stuck\n"u8, isUrgent: true);
        sink.Write("stuck\n"u8, isUrgent: true);

        Assert.False(sink.Flush(TimeSpan.FromMilliseconds(50)));
        sink.Dispose();
        sink.Write("too late\n"u8, isUrgent: true);
    }

    [Fact]
    public void A_failing_output_is_passed_over()
    {
        var output = new StallingStream { Fails = true };
        output.Resume();
        using var sink = new LogSink(output, DescribeLoss);
        sink.Write("a\n"u8, isUrgent: false);
        Assert.True(sink.Flush(Patience));

        output.Fails = false;
        sink.Write("b\n"u8, isUrgent: false);
        Assert.True(sink.Flush(Patience));
        Assert.Equal("b\n", output.Text);
    }

    [Fact]
    public void What_was_taken_is_written_before_the_end()
    {
        var output = new MemoryStream();
        var sink = new LogSink(output, DescribeLoss);
        sink.Write("last words\n"u8, isUrgent: false);
        sink.Dispose();

        Assert.Equal("last words\n", Encoding.ASCII.GetString(output.ToArray()));
    }

    [Theory]
    [InlineData("2030-01-02T03:04:05.0000000Z", "2030-01-02T03:04:05.000000Z")]
    [InlineData("2030-01-02T03:04:05.1234567Z", "2030-01-02T03:04:05.123456Z")]
    [InlineData("1999-12-31T23:59:59.9999999Z", "1999-12-31T23:59:59.999999Z")]
    [InlineData("2030-06-01T00:00:00.000001+02:00", "2030-05-31T22:00:00.000001Z")]
    public void Timestamps_are_utc_with_microseconds(string instant, string text)
    {
        var timestamp = new LogTimestamp();

        Assert.Equal(text, Encoding.ASCII.GetString(timestamp.Format(DateTimeOffset.Parse(instant))));
        Assert.Equal(text, Encoding.ASCII.GetString(timestamp.Format(DateTimeOffset.Parse(instant))));
    }

    [Theory]
    [InlineData("Password", true)]
    [InlineData("newPassword", true)]
    [InlineData("access_token", true)]
    [InlineData("Tokens", true)]
    [InlineData("ApiKey", true)]
    [InlineData("X-API-Key", true)]
    [InlineData("SecretValue", true)]
    [InlineData("Authorization", true)]
    [InlineData("set_cookie", true)]
    [InlineData("KeyId", false)]
    [InlineData("TokenCount", false)]
    [InlineData("KeyPrefix", false)]
    [InlineData("Monkey", false)]
    [InlineData("Keyboard", false)]
    [InlineData("UserId", false)]
    public void Names_that_look_like_secrets_are_known(string name, bool isSecret)
    {
        Assert.Equal(isSecret, FieldName.Of(name).IsSecret);
    }

    private static byte[] DescribeLoss(long lost) => Encoding.ASCII.GetBytes($"lost {lost}\n");

    /// <summary>A pipe whose reader has stopped reading, until it goes on.</summary>
    private sealed class StallingStream : Stream
    {
        private readonly ManualResetEventSlim _resumed = new();
        private readonly MemoryStream _received = new();

        public bool Fails { get; set; }

        public string Text => Encoding.ASCII.GetString(_received.ToArray());

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Resume() => _resumed.Set();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _resumed.Wait(CancellationToken.None);
            if (Fails)
            {
                throw new IOException("Broken pipe");
            }

            _received.Write(buffer, offset, count);
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _resumed.Set();
            base.Dispose(disposing);
        }
    }
}
