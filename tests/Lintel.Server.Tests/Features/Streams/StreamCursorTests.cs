namespace Lintel.Features.Streams;

public sealed class StreamCursorTests
{
    [Theory]
    [InlineData("a.1.2", "a", 1, 2)]
    [InlineData("accounts.revocations.17.0", "accounts.revocations", 17, 0)]
    [InlineData("0199aa.1763794512000000.9223372036854775807", "0199aa", 1763794512000000, long.MaxValue)]
    public void Cursors_are_read_as_they_are_written(string text, string stream, long epoch, long seq)
    {
        Assert.True(StreamCursor.TryParse(text, out var cursor));
        Assert.Equal(new StreamCursor(stream, epoch, seq), cursor);
        Assert.Equal(text, cursor.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("a.1")]
    [InlineData(".1.2")]
    [InlineData("..")]
    [InlineData("a.1.")]
    [InlineData("a..1")]
    [InlineData("a.-1.2")]
    [InlineData("a.1.-2")]
    [InlineData("a.1.2 ")]
    [InlineData("a.+1.2")]
    [InlineData("a.1.9223372036854775808")]
    [InlineData("a.1.٣")]
    [InlineData("a.0x1.2")]
    public void What_is_no_cursor_is_not_taken_for_one(string? text) => Assert.False(StreamCursor.TryParse(text, out _));

    [Fact]
    public void A_text_that_is_too_long_is_no_cursor() => Assert.False(StreamCursor.TryParse(new string('a', 300) + ".1.2", out _));
}
