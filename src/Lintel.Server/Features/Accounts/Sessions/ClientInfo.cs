using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>Where a request came from, for an account's owner to recognise it by.</summary>
internal readonly record struct ClientInfo(string? UserAgent, string? Address)
{
    private const int MaxUserAgent = 256;

    public static ClientInfo Of(HttpContext context, ForwardedClient forwarded)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        return new(agent.Length == 0 ? null : agent[..Math.Min(agent.Length, MaxUserAgent)], forwarded.AddressOf(context).ToString());
    }
}
