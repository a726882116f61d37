using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Passwords;

internal sealed class PasswordOptions
{
    /// <summary>A service of leaked passwords, to whose address the first five digits of a SHA-1 are added; null for none.</summary>
    public required Uri? BreachUrl { get; init; }

    public static PasswordOptions Read(SettingsReader settings)
    {
        Uri? url = null;
        if (settings.Text("PASSWORD_BREACH_URL") is { } text
            && !(Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out url) && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback)) && url.Query.Length == 0))
        {
            settings.Refuse("PASSWORD_BREACH_URL", "must be the https address of a service of leaked passwords, such as https://passwords.example.com/range/");
            url = null;
        }

        return new() { BreachUrl = url };
    }
}
