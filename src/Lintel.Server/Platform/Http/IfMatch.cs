using Microsoft.Net.Http.Headers;

namespace Lintel.Platform.Http;

/// <summary>The versions for which a change was meant, as <c>If-Match</c> has them; any, where there is none.</summary>
internal readonly struct IfMatch
{
    public const string Header = "If-Match";

    private readonly HashSet<string>? _tags;

    private IfMatch(HashSet<string> tags) => _tags = tags;

    public static IfMatch Of(HttpRequest request)
    {
        var header = request.Headers.IfMatch;
        if (header.Count == 0)
        {
            return default;
        }

        // What cannot be read is no version of ours: the change is refused rather than made in spite of it.
        return EntityTagHeaderValue.TryParseList(header, out var tags)
            ? new(tags.Where(static tag => !tag.IsWeak).Select(static tag => tag.Tag.ToString()).ToHashSet(StringComparer.Ordinal))
            : new([]);
    }

    public bool Allows(string etag) => _tags is null || _tags.Contains("*") || _tags.Contains(etag);
}
