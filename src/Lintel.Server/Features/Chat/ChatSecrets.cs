namespace Lintel.Features.Chat;

/// <summary>Keeps credentials that came the wrong way from being told to everybody.</summary>
internal static class ChatSecrets
{
    public const string Refusal = "This looks like credentials, so it was told to nobody; send them as {\"type\":\"auth\",…}.";

    /// <summary>True for a frame that is, or was meant to be, a JSON object with a token or a key.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> frame) =>
        frame.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && (frame.IndexOf("\"token\""u8) >= 0 || frame.IndexOf("\"api_key\""u8) >= 0);
}
