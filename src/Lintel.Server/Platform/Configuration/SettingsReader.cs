using System.Globalization;
using System.Net;

namespace Lintel.Platform.Configuration;

/// <summary>
/// Reads typed settings and collects every error, so that an operator mends them all at once.
/// A setting that is present but blank counts as absent: compose files and CI systems pass such ones.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration, IHostEnvironment environment)
{
    private readonly List<string> _errors = [];

    public IReadOnlyList<string> Errors => _errors;

    /// <summary>True with <c>DEBUG</c> or in the Development environment: conveniences that production must not have.</summary>
    public bool IsDevelopment => environment.IsDevelopment() || Flag("DEBUG", false);

    /// <summary>Where the server keeps its data, as an absolute path; relative settings count from the current folder.</summary>
    public string DataFolder => Path.GetFullPath(Text("LINTEL_DATA") ?? "data");

    /// <summary>Makes the data folder where it is not there yet: for this user alone, since it holds keys and accounts.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public string MakeDataFolder()
    {
        var folder = DataFolder;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return folder;
    }

    public string? Text(string name) => configuration[name] is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public int Number(string name, int standard, int least, int most)
    {
        if (Text(name) is not { } text)
        {
            return standard;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }

        Refuse(name, string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {least} to {most}; without it {standard} is used"));
        return standard;
    }

    /// <summary>A number that another setting stands in for where it is absent, which is null then.</summary>
    public int? NumberIfSet(string name, int least, int most) => Text(name) is null ? null : Number(name, least, least, most);

    public bool Flag(string name, bool standard)
    {
        switch (Text(name)?.ToLowerInvariant())
        {
            case null:
                return standard;
            case "1" or "true" or "yes" or "on":
                return true;
            case "0" or "false" or "no" or "off":
                return false;
            default:
                Refuse(name, "must be true or false");
                return standard;
        }
    }

    /// <summary>One of a few words, in any case.</summary>
    public T Choice<T>(string name, T standard, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Text(name) is not { } text)
        {
            return standard;
        }

        var words = new List<string>();
        foreach (var (word, value) in choices)
        {
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }

            words.Add(word);
        }

        Refuse(name, $"must be one of {string.Join(", ", words)}");
        return standard;
    }

    /// <summary>What stands between <paramref name="prefix"/> and one of <paramref name="suffixes"/> in the names of the settings that are there, in upper case.</summary>
    public IReadOnlyCollection<string> NamesBetween(string prefix, params string[] suffixes) =>
    [
        .. (from key in configuration.AsEnumerable().Select(static entry => entry.Key.ToUpperInvariant())
            from suffix in suffixes
            where key.Length > prefix.Length + suffix.Length && key.StartsWith(prefix, StringComparison.Ordinal) && key.EndsWith(suffix, StringComparison.Ordinal)
            select key[prefix.Length..^suffix.Length]).Distinct(),
    ];

    /// <summary>Words separated by commas or spaces.</summary>
    public string[] List(string name) =>
        Text(name)?.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>Addresses and networks.</summary>
    public IReadOnlyList<IPNetwork> Networks(string name)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in List(name))
        {
            if (IPAddress.TryParse(text, out var address))
            {
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            }
            else if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                Refuse(name, "must be a list of IP addresses or networks such as 10.0.0.0/8, separated by commas");
            }
        }

        return networks;
    }

    /// <summary>Notes that <paramref name="name"/> is wrong. The sentence goes on after the name and must not repeat a secret.</summary>
    public void Refuse(string name, string sentence)
    {
        var error = $"{name} {sentence}.";
        if (!_errors.Contains(error))
        {
            _errors.Add(error);
        }
    }

    public void ThrowIfInvalid()
    {
        if (_errors.Count != 0)
        {
            throw new InvalidSettingsException(_errors);
        }
    }
}
