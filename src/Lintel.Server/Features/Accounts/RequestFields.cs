using System.Globalization;
using System.Text.Json;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Microsoft.AspNetCore.Http.Features;

namespace Lintel.Features.Accounts;

/// <summary>
/// The text fields of a small request, JSON or form, read so that the answer can name every bad one, wrong types among them: a deserializer
/// stops at the first.
/// </summary>
internal sealed class RequestFields
{
    public const int MaxBodyBytes = 16 * 1024;

    private const string Body = "body";
    private const string NoText = "Must be a text.";

    private static readonly FormOptions FormLimits = new()
    {
        KeyLengthLimit = 256,
        ValueCountLimit = 32,
        ValueLengthLimit = MaxBodyBytes,
        MultipartBodyLengthLimit = MaxBodyBytes,
        MultipartHeadersLengthLimit = 4096,
    };

    private readonly Dictionary<string, Field> _fields = new(StringComparer.Ordinal);
    private FieldErrors _errors;

    private RequestFields()
    {
    }

    /// <summary>The 422 that names the bad fields; null when there are none.</summary>
    public ErrorResult? Error => _errors.Any ? ApiErrors.Invalid(_errors) : null;

    /// <exception cref="BadHttpRequestException">The body is not JSON.</exception>
    public static Task<RequestFields> ReadJsonAsync(HttpContext context) =>
        RequestBody.ReadJsonAsync(context, static body => ReadObject(body.Span));

    /// <exception cref="BadHttpRequestException">The form cannot be read.</exception>
    public static async Task<RequestFields> ReadFormAsync(HttpContext context)
    {
        try
        {
            var fields = new RequestFields();
            foreach (var (name, values) in await context.Request.ReadFormAsync(FormLimits, context.RequestAborted))
            {
                fields._fields[name] = values is [{ } text] ? new(text) : new(null, "Must be given once.");
            }

            return fields;
        }
        catch (InvalidDataException failure)
        {
            throw new BadHttpRequestException("The form could not be read.", StatusCodes.Status400BadRequest, failure);
        }
    }

    /// <summary>A field that must be there. Empty when it is not as it should be, which <see cref="Error"/> then tells.</summary>
    public string Required(string name)
    {
        if (Optional(name) is { } text)
        {
            return text;
        }

        Refuse(name, "This field is required.");
        return "";
    }

    /// <summary>A field that may be missing or null.</summary>
    public string? Optional(string name)
    {
        var field = _fields.GetValueOrDefault(name);
        if (field.Complaint is not null)
        {
            Refuse(name, field.Complaint);
        }

        return field.Text;
    }

    /// <summary>A field that is true or false, or missing, which is false.</summary>
    public bool Flag(string name)
    {
        var field = _fields.GetValueOrDefault(name);
        var flag = field.Flag ?? (field.Text is null ? null : bool.TryParse(field.Text, out var parsed) ? parsed : null);
        if (flag is null && field != default)
        {
            Refuse(name, "Must be true or false.");
        }

        return flag == true;
    }

    /// <summary>Notes that a field is bad. The first complaint about it stands, and one about the whole body stands alone.</summary>
    public void Refuse(string name, string message)
    {
        if (!_errors.Has(Body) && !_errors.Has(name))
        {
            _errors.Add(name, message);
        }
    }

    /// <summary>Notes a length out of range, in characters rather than in UTF-16 units.</summary>
    public void CheckLength(string name, string text, int least, int most)
    {
        var length = text.EnumerateRunes().Count();
        if (length < least || length > most)
        {
            Refuse(name, string.Create(CultureInfo.InvariantCulture, $"Must have {least} to {most} characters."));
        }
    }

    private static RequestFields ReadObject(ReadOnlySpan<byte> body)
    {
        var fields = new RequestFields();
        var json = new Utf8JsonReader(body);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            fields.Refuse(Body, "Must be a JSON object.");
            json.Skip();
        }
        else
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                fields.ReadField(ref json);
            }
        }

        // What follows is an error too.
        json.Read();
        return fields;
    }

    private void ReadField(ref Utf8JsonReader json)
    {
        var name = ReadText(ref json);
        json.Read();
        var field = json.TokenType switch
        {
            JsonTokenType.String => ReadText(ref json) is { } text ? new Field(text) : new Field(null, "Must be Unicode text."),
            JsonTokenType.Null => default,
            JsonTokenType.True => new Field(null, NoText, true),
            JsonTokenType.False => new Field(null, NoText, false),
            _ => new Field(null, NoText),
        };
        json.Skip();
        if (name is not null)
        {
            _fields[name] = field;
        }
    }

    private static string? ReadText(ref Utf8JsonReader json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8.
            return null;
        }
    }

    private readonly record struct Field(string? Text, string? Complaint = null, bool? Flag = null);
}
