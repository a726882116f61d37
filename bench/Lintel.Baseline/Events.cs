using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Lintel.Baseline;

/// <summary>
/// Writes <c>?count=</c> events of <c>?size=</c> bytes each, made on the spot and kept nowhere: sent one by one, as they would be if each
/// were news, or with <c>?pieces=true</c> many at a time, as if all had been known before.
/// </summary>
internal static class Events
{
    private const int Piece = 16 * 1024;
    private const int MaxCount = 1_000_000;
    private const int MinSize = 40;
    private const int MaxSize = 8 * 1024;

    public static async Task WriteAsync(HttpContext context)
    {
        var count = Number(context, "count", 20_000, 1, MaxCount);
        var size = Number(context, "size", 200, MinSize, MaxSize);
        var flushAt = context.Request.Query["pieces"] == "true" ? Piece : 1;

        context.Response.ContentType = "text/event-stream";
        var writer = context.Response.BodyWriter;
        var unflushed = 0;
        for (var id = 1; id <= count; id++)
        {
            WriteOne(writer, id, size);
            unflushed += size;

            if (unflushed >= flushAt)
            {
                await writer.FlushAsync(context.RequestAborted);
                unflushed = 0;
            }
        }
    }

    private static void WriteOne(PipeWriter writer, int id, int size)
    {
        var span = writer.GetSpan(size)[..size];
        var head = Encoding.UTF8.GetBytes("id: ", span);
        id.TryFormat(span[head..], out var digits, provider: CultureInfo.InvariantCulture);
        head += digits;
        head += Encoding.UTF8.GetBytes("\nevent: item\ndata: ", span[head..]);
        span[head..^2].Fill((byte)'x');
        span[^2..].Fill((byte)'\n');
        writer.Advance(size);
    }

    private static int Number(HttpContext context, string name, int fallback, int min, int max) =>
        int.TryParse(context.Request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? Math.Clamp(value, min, max)
            : fallback;
}
