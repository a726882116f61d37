using System.Globalization;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.External;

/// <summary>The providers that people may sign in with, and where they may come back to: <c>OAUTH_GITHUB_CLIENT_ID</c>, <c>OAUTH_COMPANY_ISSUER</c>, …</summary>
internal sealed class ExternalOptions
{
    private const string Prefix = "OAUTH_";
    private const string ClientId = "_CLIENT_ID";
    private const string GitHub = "https://github.com";
    private const string Google = "https://accounts.google.com";

    // Words that stand in the place of a provider in addresses.
    private static readonly string[] Reserved = ["links", "token"];

    public required IReadOnlyList<ExternalProvider> Providers { get; init; }

    /// <summary>The only addresses that a browser is sent back to, compared letter for letter.</summary>
    public required IReadOnlyList<string> ReturnUrls { get; init; }

    public ExternalProvider? Find(string id) => Providers.FirstOrDefault(provider => provider.Id == id);

    public static ExternalOptions Read(SettingsReader settings)
    {
        var providers = settings.NamesBetween(Prefix, ClientId).Order(StringComparer.Ordinal).Select(name => ReadProvider(settings, name)).OfType<ExternalProvider>().ToList();
        var urls = settings.List("OAUTH_RETURN_URLS");
        if (urls.Any(static url => !IsPlace(url)))
        {
            settings.Refuse("OAUTH_RETURN_URLS", "must be a list of addresses such as https://app.example.com/signed-in, separated by commas, without a query or a fragment");
        }

        if (providers.Count != 0 && urls.Length == 0)
        {
            settings.Refuse("OAUTH_RETURN_URLS", "is missing: give the addresses of your application that people come back to when they signed in with another provider");
        }

        return new() { Providers = providers, ReturnUrls = urls };
    }

    private static ExternalProvider? ReadProvider(SettingsReader settings, string name)
    {
        var prefix = Prefix + name;
        var id = name.ToLower(CultureInfo.InvariantCulture).Replace('_', '-');
        if (Reserved.Contains(id) || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            settings.Refuse(prefix + ClientId, "names a provider in a way that addresses cannot: use letters, digits and underscores, and neither LINKS nor TOKEN");
            return null;
        }

        if (settings.Text(prefix + "_CLIENT_SECRET") is not { } secret)
        {
            settings.Refuse(prefix + "_CLIENT_SECRET", $"is missing, while {prefix}{ClientId} is set");
            return null;
        }

        var issuer = settings.Text(prefix + "_ISSUER") ?? id switch { "github" => GitHub, "google" => Google, _ => null };
        if (issuer is null || !IsPlace(issuer))
        {
            settings.Refuse(prefix + "_ISSUER", "must be the https address of the provider, as it writes its issuer itself");
            return null;
        }

        return new()
        {
            Id = id,
            Label = settings.Text(prefix + "_LABEL") ?? id switch { "github" => "GitHub", "google" => "Google", _ => id },
            ClientId = settings.Text(prefix + ClientId) ?? "",
            ClientSecret = secret,
            Issuer = issuer,
            IsGitHub = id == "github",
        };
    }

    /// <summary>Secrets and codes travel there: in the clear only to this machine itself.</summary>
    private static bool IsPlace(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0;
}
