using System.Net;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>Sends the same request again and again on one kept-alive connection and insists on one status.</summary>
internal class HttpExchange(IPEndPoint server, byte[] request, HttpStatusCode expected = HttpStatusCode.OK) : Exchange(Connect(server))
{
    private byte[] current = request;

    protected override ReadOnlySpan<byte> Request => current;

    public static byte[] Get(string path, string? bearer = null) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n{Authorization(bearer)}\r\n");

    public static byte[] Post(string path, string json, string? bearer = null, string? accept = null) =>
        Encoding.UTF8.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{Authorization(bearer)}{(accept is null ? "" : $"Accept: {accept}\r\n")}" +
            $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}");

    protected override int Consume(ReadOnlySpan<byte> received, out bool answered)
    {
        answered = HttpAnswer.TryRead(received, out var answer);
        if (!answered)
        {
            return 0;
        }

        if (answer.Status != (int)expected)
        {
            throw new IOException($"Status {answer.Status}: {Encoding.UTF8.GetString(answer.Body)}");
        }

        Answered(answer.Body);
        return answer.Length;
    }

    /// <summary>A place to read what the next request needs out of this answer.</summary>
    protected virtual void Answered(ReadOnlySpan<byte> body)
    {
    }

    protected void Next(byte[] next) => current = next;

    private static string Authorization(string? bearer) => bearer is null ? "" : $"Authorization: Bearer {bearer}\r\n";
}
