using System.Globalization;
using System.Text;

namespace Lintel.Features.Streams;

/// <summary>Events whose facts are a number, so that a test can tell each from every other.</summary>
internal static class TestEvent
{
    public static StreamEvent Of(string text) => new("note", Encoding.UTF8.GetBytes($"{{\"text\":\"{text}\"}}"));

    public static StreamEvent Of(long number) => Of(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Several events, numbered from <paramref name="first"/>.</summary>
    public static StreamEvent[] Many(long first, int count) => [.. Enumerable.Range(0, count).Select(i => Of(first + i))];

    /// <summary>An event of about so many bytes.</summary>
    public static StreamEvent OfSize(long number, int bytes) =>
        Of(number.ToString(CultureInfo.InvariantCulture) + new string('x', Math.Max(0, bytes - 20)));

    public static string TextOf(StreamEvent item) => Encoding.UTF8.GetString(item.Data.Span)[9..^2];
}
