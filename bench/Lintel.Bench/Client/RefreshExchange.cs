using System.Net;
using System.Text;

namespace Lintel.Bench.Client;

/// <summary>Trades its refresh token for the next one, and that for the next.</summary>
internal sealed class RefreshExchange(IPEndPoint server, string refreshToken) : HttpExchange(server, Trade(refreshToken))
{
    protected override void Answered(ReadOnlySpan<byte> body)
    {
        var name = "\"refresh_token\":\""u8;
        var start = body.IndexOf(name);
        if (start < 0)
        {
            throw new IOException($"No refresh token in {Encoding.UTF8.GetString(body)}");
        }

        var value = body[(start + name.Length)..];
        Next(Trade(Encoding.ASCII.GetString(value[..value.IndexOf((byte)'"')])));
    }

    private static byte[] Trade(string refreshToken) =>
        Post("/auth/refresh", $$"""{"refresh_token":"{{refreshToken}}"}""");
}
