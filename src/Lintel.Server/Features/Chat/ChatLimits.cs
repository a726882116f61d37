using System.Globalization;
using System.Text;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;

namespace Lintel.Features.Chat;

/// <summary>How much one user may say: counted over all the user's sockets and credentials, on all nodes.</summary>
internal sealed class ChatLimits(RateLimitPartitions partitions, ChatOptions options)
{
    /// <summary>The largest frame: a message with each of its characters escaped. What is larger ends the socket.</summary>
    public int MaxFrame { get; } = (options.MessageBytes * 6) + 1024;

    // A client that goes on although it was told to wait gets an answer to so many messages, and then none.
    private const int MaxRefusals = 100;

    private const int TypingPerMinute = 60;

    private readonly RateLimitPolicy _messages = new("chat", options.MessagesPerMinute, TimeSpan.FromMinutes(1));
    private readonly RateLimitPolicy _joins = new("chat-join", options.JoinsPerMinute, TimeSpan.FromMinutes(1));
    private readonly RateLimitPolicy _typing = new("chat-typing", TypingPerMinute, TimeSpan.FromMinutes(1));

    public ChatAllowance Of(Caller caller)
    {
        var user = string.Create(CultureInfo.InvariantCulture, $"user {caller.OwnerId}");
        return new ChatAllowance(this, RateLimitPartition.OfCaller(_messages, user), RateLimitPartition.OfCaller(_typing, user));
    }

    /// <summary>Counts a socket that enters the lobby or a room, of which others are told; how long to wait where there are too many.</summary>
    public ValueTask<TimeSpan?> TryJoinAsync(long userId) =>
        TakeAsync(RateLimitPartition.OfCaller(_joins, string.Create(CultureInfo.InvariantCulture, $"user {userId}")));

    /// <summary>What is wrong with a message; null where nothing is.</summary>
    public string? Check(string text) =>
        string.IsNullOrWhiteSpace(text) ? "A message must not be empty."
        : Encoding.UTF8.GetByteCount(text) > options.MessageBytes
            ? string.Create(CultureInfo.InvariantCulture, $"A message has at most {options.MessageBytes} bytes; send a long text in parts or as a file.")
        : null;

    private async ValueTask<TimeSpan?> TakeAsync(RateLimitPartition partition) =>
        await partitions.TakeAsync(partition) is { IsAllowed: false } outcome ? outcome.ResetAfter : null;

    /// <summary>One socket's share in what its user may say.</summary>
    internal sealed class ChatAllowance(ChatLimits limits, RateLimitPartition messages, RateLimitPartition typing)
    {
        private int _refusals;

        /// <summary>Counts a message; the client that may not send it is told so, and one that does not listen is closed.</summary>
        public async ValueTask<bool> TryTakeAsync(SocketConnection connection)
        {
            if (await limits.TakeAsync(messages) is not { } wait)
            {
                _refusals = 0;
                return true;
            }

            if (++_refusals > MaxRefusals)
            {
                await connection.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "Too many messages");
                return false;
            }

            await connection.SendErrorAsync(string.Create(
                CultureInfo.InvariantCulture, $"Too many messages; wait {Math.Ceiling(wait.TotalSeconds)} seconds."));
            return false;
        }

        public async ValueTask<bool> TryTakeTypingAsync() => await limits.TakeAsync(typing) is null;
    }
}
