using System.Text;
using Lintel.Bench.Client;

namespace Lintel.Bench.Tests;

public sealed class HttpAnswerTests
{
    private const string Sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: Kestrel\r\n\r\nhello";
    private const string Chunked = "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    private const string Empty = "HTTP/1.1 204 No Content\r\nServer: Kestrel\r\n\r\n";

    [Theory]
    [InlineData(Sized, 200, "hello")]
    [InlineData(Chunked, 401, "hello")]
    [InlineData(Empty, 204, "")]
    public void An_answer_is_read_only_once_its_last_byte_is_there(string text, int status, string body)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(HttpAnswer.TryRead(bytes.AsSpan(0, length), out _), $"read after {length} bytes");
        }

        Assert.True(HttpAnswer.TryRead([.. bytes, .. "HTTP"u8], out var answer));
        Assert.Equal(status, answer.Status);
        Assert.Equal(body, Encoding.ASCII.GetString(answer.Body));
        Assert.Equal(bytes.Length, answer.Length);
    }

    [Fact]
    public void Anything_that_is_not_http_is_an_error() =>
        Assert.Throws<IOException>(() => HttpAnswer.TryRead("SSH-2.0-OpenSSH\r\n\r\n"u8, out _));
}
