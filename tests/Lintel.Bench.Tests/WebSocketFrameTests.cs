using Lintel.Bench.Client;

namespace Lintel.Bench.Tests;

public sealed class WebSocketFrameTests
{
    // RFC 6455, section 5.7: a single-frame unmasked text message.
    private static readonly byte[] Hello = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

    [Fact]
    public void A_frame_is_read_only_once_it_is_whole()
    {
        for (var length = 0; length < Hello.Length; length++)
        {
            Assert.False(WebSocketFrame.TryRead(Hello.AsSpan(0, length), out _));
        }

        Assert.True(WebSocketFrame.TryRead([.. Hello, 0x81], out var frame));
        Assert.Equal(WebSocketFrame.Text, frame.Opcode);
        Assert.Equal("Hello"u8, frame.Payload);
        Assert.Equal(Hello.Length, frame.Length);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65_535, 4)]
    [InlineData(65_536, 10)]
    public void What_a_client_encodes_is_masked_and_says_its_length(int size, int header)
    {
        var payload = Enumerable.Range(0, size).Select(i => (byte)i).ToArray();

        var encoded = WebSocketFrame.Encode(WebSocketFrame.Text, payload);

        Assert.Equal(header + 4 + size, encoded.Length);
        Assert.Equal(payload, Unmask(encoded, header));
        Assert.Equal(size, LengthOnceUnmasked(encoded, header));
    }

    [Fact]
    public void A_fragment_is_an_error() =>
        Assert.Throws<IOException>(() => WebSocketFrame.TryRead([0x01, 0x00], out _));

    private static byte[] Unmask(byte[] encoded, int header)
    {
        var mask = encoded[header..(header + 4)];
        return [.. encoded[(header + 4)..].Select((value, i) => (byte)(value ^ mask[i & 3]))];
    }

    private static int LengthOnceUnmasked(byte[] encoded, int header)
    {
        byte[] unmasked = [encoded[0], (byte)(encoded[1] & 0x7f), .. encoded[2..header], .. encoded[(header + 4)..]];
        Assert.True(WebSocketFrame.TryRead(unmasked, out var frame));
        return frame.Payload.Length;
    }
}
