using System.Collections.Frozen;
using System.Net;

namespace Lintel.Features.Webhooks;

/// <summary>Which addresses a webhook may have. What a name resolves to is looked at when it is connected to, and not before: it may change.</summary>
internal sealed class WebhookUrl(WebhookOptions options, TargetAddresses addresses)
{
    /// <summary>Where other protocols are spoken, which a request might be understood by: those of mail, of name and directory services, of databases and shells.</summary>
    private static readonly FrozenSet<int> OtherProtocols = FrozenSet.Create(
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143,
        161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723,
        2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 10080, 11211, 27017);

    private const int MaxHost = 253;

    /// <summary>What is wrong with an address; null where nothing is.</summary>
    public string? Check(string text, out Uri? url)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out url)
            || url.Scheme is not ("https" or "http")
            || !text.StartsWith(url.Scheme + "://", StringComparison.OrdinalIgnoreCase)
            || text.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\'))
        {
            return "Must be an address such as https://example.com/hooks/lintel.";
        }

        if (url.Scheme == "http" && !options.AllowsHttp)
        {
            return "Must begin with https://; this server sends to no other.";
        }

        // An empty user too, which is for people to misread what the host is.
        if (text[(url.Scheme.Length + 3)..].Split('/', '?', '#')[0].Contains('@', StringComparison.Ordinal))
        {
            return "Must not have a user or a password; the signature tells who sends.";
        }

        if (url.Fragment.Length > 0)
        {
            return "Must not have a fragment; it is not sent.";
        }

        if (OtherProtocols.Contains(url.Port))
        {
            return "Must not have a port that another protocol is known by.";
        }

        // Whatever form it has in the text, decimal or octal: here it is the address that would be connected to.
        if (HostOf(url) is not { } host)
        {
            return "Must have a host that is a name of the DNS or an address.";
        }

        return IPAddress.TryParse(host, out var address)
            ? addresses.Allow(address) ? null : "Must be a public address; this server does not send to others."
            : options.Allowed.Count == 0 && !host.TrimEnd('.').Contains('.', StringComparison.Ordinal) ? "Must be a public address; a name of one part is known within a network only."
            : null;
    }

    /// <summary>The host as it is looked up; null where it is none that can be.</summary>
    private static string? HostOf(Uri url)
    {
        try
        {
            return url.IdnHost is { Length: > 0 and <= MaxHost } host && host.All(char.IsAscii) ? host : null;
        }
        catch (UriFormatException)
        {
            // What is not to be in a name, such as a mix of directions of writing, is found out here and not when it is read.
            return null;
        }
    }
}
