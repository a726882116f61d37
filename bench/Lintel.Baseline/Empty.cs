namespace Lintel.Baseline;

internal static class Empty
{
    private static readonly byte[] Body = """{"status":"ok"}"""u8.ToArray();

    public static Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = Body.Length;
        return context.Response.Body.WriteAsync(Body, 0, Body.Length, context.RequestAborted);
    }
}
