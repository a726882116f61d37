namespace Lintel.Platform.Errors;

/// <summary>The stable words that programs decide by, explained to clients in <c>docs/api/errors.md</c>. Add one there too.</summary>
internal static class ErrorCodes
{
    public const string AuthError = "AUTH_ERROR";
    public const string InvalidCredentials = "AUTH_INVALID_CREDENTIALS";
    public const string SecondFactorRequired = "AUTH_2FA_REQUIRED";
    public const string TokenExpired = "AUTH_TOKEN_EXPIRED";
    public const string TokenInvalid = "AUTH_TOKEN_INVALID";
    public const string TokenRevoked = "AUTH_TOKEN_REVOKED";
    public const string Forbidden = "FORBIDDEN";
    public const string NotFound = "NOT_FOUND";
    public const string MethodNotAllowed = "METHOD_NOT_ALLOWED";
    public const string NotAcceptable = "NOT_ACCEPTABLE";
    public const string Conflict = "CONFLICT";
    public const string PayloadTooLarge = "PAYLOAD_TOO_LARGE";
    public const string UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE";
    public const string ValidationError = "VALIDATION_ERROR";
    public const string RateLimited = "RATE_LIMITED";
    public const string InternalError = "INTERNAL_ERROR";
    public const string ServiceUnavailable = "SERVICE_UNAVAILABLE";

    /// <summary>The bytes were no proper HTTP or came too slowly, or a WebSocket was asked for as if it were not one.</summary>
    public const string BadRequest = "BAD_REQUEST";
}
