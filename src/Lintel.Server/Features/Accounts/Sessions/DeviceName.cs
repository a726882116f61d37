using System.Buffers;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>
/// A user agent in plain words: the program and the system, without versions, so that an update is no other device. It is whatever a client says of itself; nothing is
/// decided by it but what people are shown and told.
/// </summary>
internal static class DeviceName
{
    private const string Unknown = "Unknown device";
    private const int MaxProduct = 40;

    private static readonly SearchValues<char> ProductCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    // In this order: most browsers say the names of others too.
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"), ("Macintosh", "macOS"), ("Linux", "Linux"),
    ];

    /// <summary>Such as <c>Firefox on Linux</c> or <c>curl</c>; plain characters, however odd what the client sent.</summary>
    public static string Of(string? userAgent)
    {
        if (userAgent is null)
        {
            return Unknown;
        }

        var system = Find(Systems, userAgent);
        return Find(Browsers, userAgent) is { } browser
            ? system is null ? browser : $"{browser} on {system}"
            : Product(userAgent) ?? system ?? Unknown;
    }

    /// <summary>The first word, before its version: what programs that are no browsers call themselves.</summary>
    private static string? Product(string userAgent)
    {
        var end = userAgent.AsSpan().IndexOfAnyExcept(ProductCharacters);
        var product = end < 0 ? userAgent : userAgent[..end];
        return product.Length is > 0 and <= MaxProduct && product != "Mozilla" ? product : null;
    }

    private static string? Find((string Sign, string Name)[] known, string userAgent)
    {
        foreach (var (sign, name) in known)
        {
            if (userAgent.Contains(sign, StringComparison.Ordinal))
            {
                return name;
            }
        }

        return null;
    }
}
