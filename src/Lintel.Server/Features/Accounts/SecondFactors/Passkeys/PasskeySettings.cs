using System.Net;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

/// <summary>For whom passkeys are made, and from whose pages they may be used.</summary>
internal sealed class PasskeySettings
{
    /// <summary>The relying party's id: a domain. Passkeys are bound to it for good.</summary>
    public required string Domain { get; init; }

    /// <summary>Origins of pages that may use them.</summary>
    public required IReadOnlySet<string> Origins { get; init; }

    public static PasskeySettings Read(SettingsReader settings)
    {
        var server = ServerOptions.Read(settings);
        var domain = settings.Text("PASSKEY_DOMAIN")?.ToLowerInvariant() ?? server.PublicUrl.IdnHost;
        var origins = new HashSet<string>(StringComparer.Ordinal) { OriginOf(server.PublicUrl) };
        foreach (var text in settings.List("PASSKEY_ORIGINS"))
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0)
            {
                origins.Add(OriginOf(uri));
            }
            else
            {
                settings.Refuse("PASSKEY_ORIGINS", "must be a list of origins such as https://app.example.com, separated by commas");
            }
        }

        // What a browser would refuse is better said here. An address is no domain: there are no passkeys then, and nothing else is the worse for it.
        if (!IPAddress.TryParse(domain, out _) && !origins.All(origin => IsWithin(new Uri(origin).IdnHost, domain)))
        {
            settings.Refuse("PASSKEY_DOMAIN", "must be the host of PUBLIC_URL and of all PASSKEY_ORIGINS, or a domain that they are in");
        }

        return new() { Domain = domain, Origins = origins };
    }

    private static bool IsWithin(string host, string domain) => host == domain || host.EndsWith("." + domain, StringComparison.Ordinal);

    /// <summary>As browsers write it: without a port that is the scheme's own.</summary>
    private static string OriginOf(Uri address) =>
        address.IsDefaultPort ? $"{address.Scheme}://{address.IdnHost}" : string.Create(null, $"{address.Scheme}://{address.IdnHost}:{address.Port}");
}
