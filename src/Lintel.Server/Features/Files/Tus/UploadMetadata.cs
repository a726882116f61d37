using System.Text;

namespace Lintel.Features.Files.Tus;

/// <summary>What the client of a resumable upload says of its file, as the field <c>Upload-Metadata</c> has it: names, each with a value in Base64.</summary>
/// <param name="Filename">Of <c>filename</c> or <c>name</c>.</param>
/// <param name="ContentType">Of <c>filetype</c> or <c>type</c>.</param>
internal readonly record struct UploadMetadata(string? Filename, string? ContentType)
{
    public const int MaxLength = 4096;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool TryParse(string field, out UploadMetadata metadata)
    {
        metadata = default;
        // It is told again as it came, and a field of an answer takes no other signs.
        if (field.Length > MaxLength || !field.All(static sign => sign is >= ' ' and <= '~'))
        {
            return false;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in field.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = pair.Split(' ');
            if (parts.Length > 2 || !values.TryAdd(parts[0], "") || !TryDecode(parts is [_, var encoded] ? encoded : "", out var value))
            {
                return false;
            }

            values[parts[0]] = value;
        }

        metadata = new(values.GetValueOrDefault("filename") ?? values.GetValueOrDefault("name"), values.GetValueOrDefault("filetype") ?? values.GetValueOrDefault("type"));
        return true;
    }

    private static bool TryDecode(string encoded, out string value)
    {
        value = "";
        try
        {
            value = Strict.GetString(Convert.FromBase64String(encoded));
            return true;
        }
        catch (Exception failure) when (failure is FormatException or DecoderFallbackException)
        {
            return false;
        }
    }
}
