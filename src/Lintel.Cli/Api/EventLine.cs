using System.Text.Json;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Api;

/// <summary>An event as a line of JSON, for programs.</summary>
internal static class EventLine
{
    public static void Write(in JobEvent item)
    {
        using var line = new MemoryStream(item.Data.Length + 64);
        line.Write("{\"event\":"u8);
        line.Write(JsonSerializer.SerializeToUtf8Bytes(item.Kind, ApiJson.Default.String));
        var members = item.Data.Span.Trim((byte)' ');

        // The members of an object follow; an empty one has none.
        if (members.Length > 2)
        {
            line.Write(","u8);
        }

        line.Write(members[1..]);
        line.Write("\n"u8);
        StandardStreams.Output.Write(line.GetBuffer().AsSpan(0, (int)line.Length));
    }
}
