using Microsoft.Net.Http.Headers;

namespace Lintel.Platform.Http;

/// <summary>What a client says that it has already.</summary>
internal static class EntityTags
{
    /// <summary>True where <c>If-None-Match</c> names the tag. As RFC 9110 compares for GET: a weak tag is as good.</summary>
    public static bool Match(HttpRequest request, string etag)
    {
        var known = request.Headers.IfNoneMatch;
        if (known.Count == 0)
        {
            return false;
        }

        return EntityTagHeaderValue.TryParseList(known, out var tags)
            && tags.Any(tag => tag.Tag == "*" || tag.Tag == (etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag));
    }
}
