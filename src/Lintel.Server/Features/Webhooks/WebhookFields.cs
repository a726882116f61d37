using System.Globalization;
using System.Text.Json;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;

namespace Lintel.Features.Webhooks;

/// <summary>The fields of a webhook as a request has them: a change tells a field that is null from one that is missing, which a contract cannot.</summary>
internal sealed class WebhookFields
{
    public const int MaxUrl = 2000;
    public const int MaxDescription = 200;

    private static readonly string Choices = string.Join(", ", WebhookEventTypes.Choices);

    private FieldErrors _errors;
    private IReadOnlyList<string>? _events;
    private bool _hasDescription;
    private string? _description;

    public string? Url { get; private set; }

    public bool? Enabled { get; private set; }

    public ErrorResult? Error => _errors.Any ? ApiErrors.Invalid(_errors) : null;

    public static Task<WebhookFields> ReadAsync(HttpContext context, WebhookUrl urls, bool isNew) => RequestBody.ReadJsonAsync(context, body => Read(body, urls, isNew));

    /// <summary>A new webhook of these fields.</summary>
    public Webhook Create(Guid id, long ownerId, byte[] salt, DateTimeOffset now) =>
        new(id, ownerId, Url!, _events!, _description, Enabled ?? true, null, salt, 0, null, null, now, now);

    /// <summary>The webhook with these fields in the place of its own.</summary>
    public Webhook Apply(Webhook webhook) => webhook with
    {
        Url = Url ?? webhook.Url,
        Events = _events ?? webhook.Events,
        Description = _hasDescription ? _description : webhook.Description,
        Enabled = Enabled ?? webhook.Enabled,
    };

    private static WebhookFields Read(ReadOnlyMemory<byte> body, WebhookUrl urls, bool isNew)
    {
        using var document = JsonDocument.Parse(body);
        var fields = new WebhookFields();
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            fields._errors.Add("body", "Must be a JSON object.");
            return fields;
        }

        fields.ReadUrl(root, urls, isNew);
        fields.ReadEvents(root, isNew);
        fields.ReadDescription(root);
        fields.ReadEnabled(root, isNew);
        return fields;
    }

    private void ReadUrl(JsonElement root, WebhookUrl urls, bool isNew)
    {
        if (!root.TryGetProperty("url", out var given))
        {
            RequireIf(isNew, "url");
            return;
        }

        var text = given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        if (urls.Check(text, out var url) is { } wrong)
        {
            _errors.Add("url", wrong);
            return;
        }

        // With what it has to be escaped for.
        Url = url!.AbsoluteUri;
        if (Url.Length > MaxUrl)
        {
            _errors.Add("url", string.Create(CultureInfo.InvariantCulture, $"Must have at most {MaxUrl} characters."));
        }
    }

    private void ReadEvents(JsonElement root, bool isNew)
    {
        if (!root.TryGetProperty("events", out var given))
        {
            RequireIf(isNew, "events");
            return;
        }

        if (given.ValueKind == JsonValueKind.Array && given.GetArrayLength() is >= 1 and <= 50)
        {
            _events = [.. given.EnumerateArray().Select(static item => item.ValueKind == JsonValueKind.String ? item.GetString()! : "").Distinct(StringComparer.Ordinal)];
        }

        if (_events?.All(static type => WebhookEventTypes.Choices.Contains(type)) != true)
        {
            _errors.Add("events", $"Must be a list of at least one of: {Choices}.");
        }
    }

    private void ReadDescription(JsonElement root)
    {
        _hasDescription = root.TryGetProperty("description", out var given);
        if (!_hasDescription || given.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        _description = given.ValueKind == JsonValueKind.String ? given.GetString()!.Trim() : null;
        if (_description is null || _description.EnumerateRunes().Count() > MaxDescription || _description.Any(char.IsControl))
        {
            _errors.Add("description", string.Create(CultureInfo.InvariantCulture, $"Must be a text of at most {MaxDescription} characters on one line."));
        }
    }

    private void ReadEnabled(JsonElement root, bool isNew)
    {
        if (!root.TryGetProperty("enabled", out var given) || (isNew && given.ValueKind == JsonValueKind.Null))
        {
            return;
        }

        if (given.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            Enabled = given.GetBoolean();
        }
        else
        {
            _errors.Add("enabled", "Must be true or false.");
        }
    }

    private void RequireIf(bool isNew, string field)
    {
        if (isNew)
        {
            _errors.Add(field, "This field is required.");
        }
    }
}
