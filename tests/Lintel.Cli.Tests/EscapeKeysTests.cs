using Lintel.Cli.Running;
using Lintel.Infrastructure;

namespace Lintel.Cli;

/// <summary>The way out: three of one key within a second, and nothing else.</summary>
public sealed class EscapeKeysTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData("\u001d\u001d\u001d", true)]
    [InlineData("text\u001d\u001d\u001d", true)]
    [InlineData("\u001d\u001d", false)]
    [InlineData("\u001d\u001dx\u001d", false)]
    [InlineData("\u0003\u0003\u0003", false)]
    public void Three_in_a_row_are_the_way_out(string keys, bool isOut) => Assert.Equal(isOut, Take(new EscapeKeys(_time), keys));

    [Fact]
    public void Three_that_take_longer_than_a_second_are_the_programs()
    {
        var escape = new EscapeKeys(_time);

        Assert.False(Take(escape, "\u001d"));
        _time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.False(Take(escape, "\u001d"));
        _time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.False(Take(escape, "\u001d"));
        Assert.False(Take(escape, "\u001d"));
        Assert.True(Take(escape, "\u001d"));
    }

    private static bool Take(EscapeKeys escape, string keys) => escape.Take(System.Text.Encoding.ASCII.GetBytes(keys));
}
