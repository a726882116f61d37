using System.Text;
using System.Text.Json;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Api;

/// <summary>An event as a line of JSON, for programs.</summary>
internal static class EventLine
{
    public static void Write(in ServerEvent item)
    {
        var members = Encoding.UTF8.GetString(item.Data.Span).Trim();

        // The members of an object follow; an empty one has none.
        var separator = members.Length > 2 ? "," : "";
        JsonLine.Write($"{{\"event\":{JsonSerializer.Serialize(item.Kind, ApiJson.Default.String)}{separator}{members[1..]}");
    }
}
