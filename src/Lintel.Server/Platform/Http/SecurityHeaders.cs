using Microsoft.Extensions.Primitives;

namespace Lintel.Platform.Http;

/// <summary>What tells browsers to do with a response only what it is meant for. An endpoint that serves pages sets a policy of its own.</summary>
internal static class SecurityHeaders
{
    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues NoReferrer = "no-referrer";
    private static readonly StringValues Deny = "DENY";
    private static readonly StringValues NothingAtAll = "default-src 'none'; frame-ancestors 'none'";
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues OneYear = "max-age=31536000";

    public static void Apply(IHeaderDictionary headers, bool isHttps)
    {
        headers.XContentTypeOptions = NoSniff;
        headers["Referrer-Policy"] = NoReferrer;
        headers.XFrameOptions = Deny;
        headers.ContentSecurityPolicy = NothingAtAll;

        // Nearly every answer is somebody's own; a route whose is not says so itself.
        headers.CacheControl = NoStore;
        if (isHttps)
        {
            headers.StrictTransportSecurity = OneYear;
        }
    }
}
