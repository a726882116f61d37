using System.IO.Compression;
using System.Reflection;
using Lintel.Platform.Http;

namespace Lintel.Platform.OpenApi;

/// <summary>Serves the documentation pages: our own small pages, and the viewers' files out of the packages that bring them. Nothing comes from another host.</summary>
internal static class DocsPages
{
    // Both viewers put styles into the page, and ReDoc's search runs in a worker that it makes itself.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string Version = typeof(DocsPages).Assembly.GetName().Version!.ToString();

    /// <summary>Maps the page at <paramref name="path"/> and its files below it.</summary>
    public static void MapPage(this IEndpointRouteBuilder routes, string path, string page, string packageName, string[] packageFiles)
    {
        routes.MapGet(path, context => SendOwnAsync(context, page));
        routes.MapGet($"{path}/page.css", static context => SendOwnAsync(context, "page.css"));
        routes.MapGet($"{path}/page.js", context => SendOwnAsync(context, Path.ChangeExtension(page, ".js")));

        // Loaded when first asked for, not at start.
        var package = new Lazy<Assembly>(() => Assembly.Load(packageName));
        foreach (var file in packageFiles)
        {
            routes.MapGet($"{path}/{file}", context => SendPackagedAsync(context, package.Value, file));
        }
    }

    private static async Task SendOwnAsync(HttpContext context, string file)
    {
        await using var content = typeof(DocsPages).Assembly.GetManifestResourceStream("Pages/" + file)
            ?? throw new InvalidOperationException($"{file} is not part of the program.");
        if (Begin(context, file))
        {
            context.Response.ContentLength = content.Length;
            await content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }

    private static async Task SendPackagedAsync(HttpContext context, Assembly package, string file)
    {
        var name = Array.Find(package.GetManifestResourceNames(), name => name.EndsWith("." + file, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"{package.GetName().Name} has no {file}.");

        // The packages hold them compressed, which is how nearly every client wants them.
        await using var content = package.GetManifestResourceStream(name)!;
        if (!Begin(context, file))
        {
            return;
        }

        var response = context.Response;
        response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            response.ContentLength = content.Length;
            await content.CopyToAsync(response.Body, context.RequestAborted);
        }
        else
        {
            await using var plain = new GZipStream(content, CompressionMode.Decompress);
            await plain.CopyToAsync(response.Body, context.RequestAborted);
        }
    }

    /// <summary>Sets the headers; false where the client has the file already.</summary>
    private static bool Begin(HttpContext context, string file)
    {
        var response = context.Response;
        var tag = $"\"{Version}-{file}\"";
        response.Headers.ETag = tag;
        response.Headers.CacheControl = "no-cache";
        response.Headers.ContentSecurityPolicy = Policy;
        if (EntityTags.Match(context.Request, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return false;
        }

        response.ContentType = Path.GetExtension(file) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".png" => "image/png",
            _ => "application/octet-stream",
        };
        return true;
    }
}
