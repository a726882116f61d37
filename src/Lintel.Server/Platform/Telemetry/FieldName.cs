using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lintel.Platform.Telemetry;

/// <summary>A structured field's name as it is written, and whether its value looks like one that no log may hold.</summary>
internal sealed class FieldName
{
    // Names are constants in the code; the bound is a guard against composed ones.
    private const int MaxKept = 2000;

    private static readonly HashSet<string> Reserved =
        new(["timestamp", "level", "name", "message", "request_id", "exception", "stack"], StringComparer.Ordinal);

    private static readonly HashSet<string> SecretWords = new(
        [
            "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens", "key", "keys", "apikey", "authorization",
            "cookie", "cookies", "credential", "credentials", "otp", "totp",
        ],
        StringComparer.Ordinal);

    // With these the field tells about the secret, not the secret itself.
    private static readonly HashSet<string> HarmlessEndings =
        new(["id", "ids", "count", "kind", "type", "name", "prefix", "seconds", "minutes", "days", "ms", "length", "version"], StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, FieldName> Kept = new(StringComparer.Ordinal);

    private FieldName(string name)
    {
        var snake = JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
        Text = JsonEncodedText.Encode(Reserved.Contains(snake) ? "field_" + snake : snake, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        var words = snake.Split(['_', '.', '-', ' '], StringSplitOptions.RemoveEmptyEntries);
        IsSecret = words.Length != 0 && !HarmlessEndings.Contains(words[^1]) && words.Any(SecretWords.Contains);
    }

    public JsonEncodedText Text { get; }

    public bool IsSecret { get; }

    public static FieldName Of(string name)
    {
        if (Kept.TryGetValue(name, out var kept))
        {
            return kept;
        }

        var made = new FieldName(name);
        return Kept.Count < MaxKept ? Kept.GetOrAdd(name, made) : made;
    }
}
