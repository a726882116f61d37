using System.Runtime.InteropServices;

namespace Lintel.Platform.Json;

/// <summary>One thing wrong with what a caller sent.</summary>
/// <param name="Field">The field as the caller spells it, such as <c>fck</c> or <c>cases[2].mu_knm</c>.</param>
/// <param name="Message">What it must be. One that begins with a capital stands alone; others follow the field's name.</param>
internal readonly record struct FieldError(string Field, string Message);

/// <summary>Everything wrong with what a caller sent. Costs nothing while all is well.</summary>
internal struct FieldErrors
{
    // A thousand bad cases must not become an answer of three thousand messages.
    private const int Most = 100;

    private List<FieldError>? _errors;

    public readonly bool Any => _errors is { Count: > 0 };

    public readonly ReadOnlySpan<FieldError> All => CollectionsMarshal.AsSpan(_errors);

    /// <summary>All of it as one line, for messages that have no room for a field each.</summary>
    public readonly string Message =>
        string.Join("; ", (_errors ?? []).Select(error => char.IsUpper(error.Message[0]) ? error.Message : $"{error.Field} {error.Message}"));

    public readonly bool Has(string field) => _errors?.Exists(error => error.Field == field) == true;

    public void Add(string field, string message)
    {
        _errors ??= [];

        if (_errors.Count < Most)
        {
            _errors.Add(new FieldError(field, message));
        }
    }

    /// <summary>Forgets what was wrong with a field that comes a second time: the last one counts.</summary>
    public readonly void Clear(string field)
    {
        for (var i = (_errors?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (_errors![i].Field == field)
            {
                _errors.RemoveAt(i);
            }
        }
    }

    /// <summary>Field to messages, as <c>details.fields</c> of the error envelope.</summary>
    public readonly Dictionary<string, string[]> ToDictionary() =>
        (_errors ?? []).GroupBy(error => error.Field).ToDictionary(group => group.Key, group => group.Select(error => error.Message).ToArray());
}
