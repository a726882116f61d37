using System.Globalization;
using System.Text.Json;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;

namespace Lintel.Features.Tasks;

/// <summary>The fields of a task as a request has them: a change tells a field that is null from one that is missing, which a contract cannot.</summary>
internal sealed class TaskFields
{
    public const int MaxTitle = 200;
    public const int MaxDescription = 10_000;

    private FieldErrors _errors;
    private string? _title;
    private bool _hasDescription;
    private string? _description;
    private string? _status;
    private bool _hasDueAt;
    private DateTimeOffset? _dueAt;

    /// <summary>Whose the task is to be, where the request says so.</summary>
    public long? UserId { get; private set; }

    public ErrorResult? Error => _errors.Any ? ApiErrors.Invalid(_errors) : null;

    public static Task<TaskFields> ReadAsync(HttpContext context, bool isNew) => RequestBody.ReadJsonAsync(context, body => Read(body, isNew));

    /// <summary>A new task of these fields.</summary>
    public TaskItem Create(Guid id, long userId, DateTimeOffset now) =>
        new(id, userId, _title!, _description, _status ?? TaskStates.Pending, _dueAt, null, now, now, 1);

    /// <summary>The task with these fields in the place of its own.</summary>
    public TaskItem Apply(TaskItem task) => task with
    {
        Title = _title ?? task.Title,
        Description = _hasDescription ? _description : task.Description,
        Status = _status ?? task.Status,
        DueAt = _hasDueAt ? _dueAt : task.DueAt,
    };

    private static TaskFields Read(ReadOnlyMemory<byte> body, bool isNew)
    {
        using var document = JsonDocument.Parse(body);
        var fields = new TaskFields();
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            fields._errors.Add("body", "Must be a JSON object.");
            return fields;
        }

        fields.ReadTitle(root, isNew);
        fields.ReadDescription(root);
        fields.ReadStatus(root, isNew);
        fields.ReadDueAt(root);
        if (root.TryGetProperty("user_id", out var user) && user.ValueKind != JsonValueKind.Null)
        {
            fields.UserId = user.ValueKind == JsonValueKind.Number && user.TryGetInt64(out var id) ? id : fields.Refuse<long?>("user_id", "Must be the id of an account.");
        }

        return fields;
    }

    private void ReadTitle(JsonElement root, bool isNew)
    {
        if (!root.TryGetProperty("title", out var given) || (isNew && given.ValueKind == JsonValueKind.Null))
        {
            if (isNew)
            {
                _errors.Add("title", "This field is required.");
            }

            return;
        }

        var title = given.ValueKind == JsonValueKind.String ? given.GetString()!.Trim() : null;
        if (title is null || title.EnumerateRunes().Count() is < 1 or > MaxTitle)
        {
            _errors.Add("title", string.Create(CultureInfo.InvariantCulture, $"Must have 1 to {MaxTitle} characters."));
        }
        else if (title.Any(char.IsControl))
        {
            _errors.Add("title", "Must not have control characters.");
        }

        _title = title;
    }

    private void ReadDescription(JsonElement root)
    {
        _hasDescription = root.TryGetProperty("description", out var given);
        if (!_hasDescription || given.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        _description = given.ValueKind == JsonValueKind.String ? given.GetString() : Refuse<string?>("description", "Must be a text.");
        if (_description?.EnumerateRunes().Count() > MaxDescription)
        {
            _errors.Add("description", string.Create(CultureInfo.InvariantCulture, $"Must have at most {MaxDescription} characters."));
        }
        else if (_description?.Any(static character => char.IsControl(character) && character is not ('\n' or '\r' or '\t')) == true)
        {
            _errors.Add("description", "Must not have control characters other than line breaks and tabs.");
        }
    }

    private void ReadStatus(JsonElement root, bool isNew)
    {
        if (!root.TryGetProperty("status", out var given) || (isNew && given.ValueKind == JsonValueKind.Null))
        {
            return;
        }

        _status = given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        if (!TaskStates.All.Contains(_status))
        {
            _errors.Add("status", $"Must be one of: {string.Join(", ", TaskStates.All)}.");
        }
    }

    private void ReadDueAt(JsonElement root)
    {
        _hasDueAt = root.TryGetProperty("due_at", out var given);
        if (!_hasDueAt || given.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        // A time without an offset would be the server's own, wherever that stands.
        _dueAt = given.ValueKind != JsonValueKind.String || !given.TryGetDateTime(out var local) ? null
            : local.Kind == DateTimeKind.Unspecified ? new DateTimeOffset(local, TimeSpan.Zero)
            : given.TryGetDateTimeOffset(out var instant) ? instant.ToUniversalTime()
            : null;
        if (_dueAt is null || _dueAt < DateTimeOffset.UnixEpoch)
        {
            _errors.Add("due_at", "Must be a time such as 2027-01-31T12:00:00Z.");
        }
    }

    private T? Refuse<T>(string field, string message)
    {
        _errors.Add(field, message);
        return default;
    }
}
