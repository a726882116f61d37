using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lintel.Platform.Json;

namespace Lintel.Platform.Errors;

/// <summary>Which error an exception stands for.</summary>
internal static partial class ExceptionTranslation
{
    // Every contract that is read from a body is one.
    private const string NotAnObject = "Must be a JSON object.";

    /// <summary>The client's error or a known outage; null for a bug, which is a 500 that somebody must look at.</summary>
    public static ErrorResult? Translate(Exception failure) => failure switch
    {
        BadHttpRequestException { InnerException: JsonException json } => InvalidJson(json),
        BadHttpRequestException { InnerException: InvalidDataException } => ApiErrors.Invalid("body", "The form could not be read."),
        BadHttpRequestException { StatusCode: 400 } request => Binding(request.Message) ?? ApiErrors.ForStatus(400),
        BadHttpRequestException request => ApiErrors.ForStatus(request.StatusCode),
        ServiceUnavailableException outage => ApiErrors.ServiceUnavailable(outage.Message, outage.RetryAfter),
        _ => null,
    };

    /// <summary>For handlers that read JSON themselves. The reader's own message is not repeated: it names our types.</summary>
    public static ErrorResult InvalidJson(JsonException failure)
    {
        if (MissingProperties().Match(failure.Message) is { Success: true } missing)
        {
            var prefix = FieldOf(failure.Path) is var at && at != "body" ? at + "." : "";
            var errors = default(FieldErrors);
            foreach (Match name in Quoted().Matches(missing.Groups["names"].Value))
            {
                errors.Add(prefix + name.Groups["name"].Value, "This field is required.");
            }

            return ApiErrors.Invalid(errors);
        }

        var field = FieldOf(failure.Path);
        var isMalformed = failure.InnerException is JsonException
            || failure.InnerException?.GetType().Name is "JsonReaderException"
            || failure.GetType().Name is "JsonReaderException"
            || failure.Path is null;
        return ApiErrors.Invalid(field, isMalformed ? Malformed(failure) : failure.Path == "$" ? NotAnObject : "The value is of the wrong type or out of range.");
    }

    private static string Malformed(JsonException failure) => failure is { LineNumber: { } line, BytePositionInLine: { } position }
        ? string.Create(CultureInfo.InvariantCulture, $"Not valid JSON (line {line + 1}, byte {position + 1}).")
        : "Not valid JSON: a text in it is no Unicode.";

    private static string FieldOf(string? path) => path is ['$', '.', .. var field] ? field : path is ['$', '[', ..] ? path[1..] : "body";

    // The framework tells only in words which parameter of the path or query it could not read.
    private static ErrorResult? Binding(string message)
    {
        if (FailedToBind().Match(message) is { Success: true } failed)
        {
            return ApiErrors.Invalid(failed.Groups["name"].Value, "The value is of the wrong type or out of range.");
        }

        if (NotProvided().Match(message) is { Success: true } absent)
        {
            return ApiErrors.Invalid(absent.Groups["source"].Value == "body" ? "body" : absent.Groups["name"].Value, "This field is required.");
        }

        if (message.Contains("no body was provided", StringComparison.Ordinal))
        {
            return ApiErrors.Invalid("body", NotAnObject);
        }

        return message.Contains("request body", StringComparison.Ordinal) || message.Contains("content type", StringComparison.Ordinal)
            ? ApiErrors.Invalid("body", "The body could not be read.")
            : null;
    }

    [GeneratedRegex("""^Failed to bind parameter "(.*\s)?(?<name>[^"\s]+)" from """, RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex FailedToBind();

    [GeneratedRegex("""^Required parameter "(.*\s)?(?<name>[^"\s]+)" was not provided from (?<source>.*)\.$""", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex NotProvided();

    [GeneratedRegex("""missing required properties including: (?<names>.*)$""", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex MissingProperties();

    [GeneratedRegex("'(?<name>[^']+)'", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Quoted();
}
