namespace Lintel.Platform.Configuration;

/// <summary>The one static key for machine clients. A class, not a record: nothing may print it.</summary>
internal sealed class ApiKeyOptions
{
    /// <summary>Null when there is none.</summary>
    public required string? StaticKey { get; init; }

    public static ApiKeyOptions Read(SettingsReader settings)
    {
        var key = settings.Text("API_KEY");
        if (key is not null && !key.All(static c => c is > ' ' and < (char)127))
        {
            settings.Refuse("API_KEY", "must be printable ASCII without blanks, since clients send it in a header");
        }

        return new() { StaticKey = key };
    }
}
