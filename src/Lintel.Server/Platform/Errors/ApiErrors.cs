using System.Text.Json.Nodes;
using Lintel.Platform.Json;

namespace Lintel.Platform.Errors;

/// <summary>The errors that clients can get, one factory for each code that handlers answer with. <c>docs/api/errors.md</c> explains each to clients.</summary>
internal static class ApiErrors
{
    private static readonly ErrorResult CommonUnauthenticated = new(401, ErrorCodes.AuthError, "Sign in, or send an API key.");
    private static readonly ErrorResult CommonInvalidCredentials = new(401, ErrorCodes.InvalidCredentials, "Wrong e-mail or password.");
    private static readonly ErrorResult CommonTokenExpired = new(401, ErrorCodes.TokenExpired, "The token has expired.");
    private static readonly ErrorResult CommonTokenInvalid = new(401, ErrorCodes.TokenInvalid, "The token or key is not valid.");
    private static readonly ErrorResult CommonTokenRevoked = new(401, ErrorCodes.TokenRevoked, "The token has been revoked.");
    private static readonly ErrorResult CommonForbidden = new(403, ErrorCodes.Forbidden, "You may not do this.");
    private static readonly ErrorResult CommonNotFound = new(404, ErrorCodes.NotFound, "There is no such thing here.");
    private static readonly ErrorResult CommonMethodNotAllowed = new(405, ErrorCodes.MethodNotAllowed, "This method is not allowed here; see the Allow header.");
    private static readonly ErrorResult CommonNotAcceptable = new(406, ErrorCodes.NotAcceptable, "None of the accepted types can be produced here.");
    private static readonly ErrorResult CommonPayloadTooLarge = new(413, ErrorCodes.PayloadTooLarge, "The request body is too large.");
    private static readonly ErrorResult CommonUnsupportedMediaType = new(415, ErrorCodes.UnsupportedMediaType, "The content type of the request is not supported here.");
    private static readonly ErrorResult CommonInternal = new(500, ErrorCodes.InternalError, "Something went wrong on the server. The request id helps to find out what.");

    /// <summary>No credentials were sent.</summary>
    public static ErrorResult Unauthenticated() => CommonUnauthenticated;

    public static ErrorResult InvalidCredentials() => CommonInvalidCredentials;

    /// <summary>As <see cref="InvalidCredentials()"/>, of other credentials than a password.</summary>
    public static ErrorResult InvalidCredentials(string message) => new(401, ErrorCodes.InvalidCredentials, message);

    public static ErrorResult TokenInvalid(string message) => new(401, ErrorCodes.TokenInvalid, message);

    /// <summary>Who somebody is must be proved by one thing more.</summary>
    /// <param name="details">The <c>challenge</c> to answer, and by what it can be.</param>
    public static ErrorResult SecondFactorNeeded(string message, JsonObject? details) => new(401, ErrorCodes.SecondFactorRequired, message) { Details = details };

    public static ErrorResult TokenExpired() => CommonTokenExpired;

    public static ErrorResult TokenInvalid() => CommonTokenInvalid;

    public static ErrorResult TokenRevoked() => CommonTokenRevoked;

    public static ErrorResult Forbidden() => CommonForbidden;

    public static ErrorResult Forbidden(string message) => new(403, ErrorCodes.Forbidden, message);

    public static ErrorResult NotFound() => CommonNotFound;

    public static ErrorResult NotFound(string message) => new(404, ErrorCodes.NotFound, message);

    public static ErrorResult Conflict(string message, JsonObject? details = null) => new(409, ErrorCodes.Conflict, message) { Details = details };

    /// <summary>One bad field. Where several can be bad, tell them all: collect them in <see cref="FieldErrors"/>.</summary>
    /// <param name="field">The JSON name, with dots and brackets into the depth: <c>cases[2].mu_knm</c>.</param>
    /// <param name="message">What is wrong with it.</param>
    public static ErrorResult Invalid(string field, string message)
    {
        var errors = default(FieldErrors);
        errors.Add(field, message);
        return Invalid(errors);
    }

    /// <summary>Every bad field at once.</summary>
    public static ErrorResult Invalid(in FieldErrors errors)
    {
        var listed = new JsonObject();
        foreach (var (field, messages) in errors.ToDictionary())
        {
            listed[field] = new JsonArray([.. messages.Select(static message => JsonValue.Create(message))]);
        }

        return new(422, ErrorCodes.ValidationError, "The request is not valid.") { Details = new() { ["fields"] = listed } };
    }

    public static ErrorResult RateLimited(TimeSpan retryAfter) => RateLimited("Too many requests; try again later.", retryAfter);

    public static ErrorResult RateLimited(string message, TimeSpan retryAfter) => new(429, ErrorCodes.RateLimited, message) { RetryAfter = retryAfter };

    /// <summary>Nobody knows when one of them will be closed, so there is no time to come back at.</summary>
    public static ErrorResult TooManyConnections(string message) => new(429, ErrorCodes.RateLimited, message);

    public static ErrorResult Internal() => CommonInternal;

    public static ErrorResult ServiceUnavailable(string message, TimeSpan? retryAfter = null) =>
        new(503, ErrorCodes.ServiceUnavailable, message) { RetryAfter = retryAfter };

    /// <summary>For a bare status, such as routing sets; null where it is no error.</summary>
    public static ErrorResult? ForStatus(int status) => status switch
    {
        < 400 => null,
        401 => CommonUnauthenticated,
        403 => CommonForbidden,
        404 => CommonNotFound,
        405 => CommonMethodNotAllowed,
        406 => CommonNotAcceptable,
        409 => Conflict("The request conflicts with the present state."),
        413 => CommonPayloadTooLarge,
        415 => CommonUnsupportedMediaType,
        422 => new(422, ErrorCodes.ValidationError, "The request is not valid."),
        429 => new(429, ErrorCodes.RateLimited, "Too many requests; try again later."),
        503 => ServiceUnavailable("The service is not available now; try again later."),
        408 => new(408, ErrorCodes.BadRequest, "The request took too long to arrive."),
        426 => new(426, ErrorCodes.BadRequest, "This is a WebSocket; connect to it as one."),
        < 500 => new(status, ErrorCodes.BadRequest, "The request could not be understood."),
        _ => new(status, ErrorCodes.InternalError, CommonInternal.Message),
    };
}
