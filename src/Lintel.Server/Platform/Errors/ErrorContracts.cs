using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace Lintel.Platform.Errors;

// The server writes these by hand; a test holds the two together.

/// <summary>What every error looks like.</summary>
/// <param name="Error">What is wrong.</param>
/// <param name="RequestId">As the header <c>X-Request-ID</c>; tell it when you ask for help.</param>
public sealed record ErrorEnvelope(ErrorBody Error, string RequestId);

/// <summary>The error itself.</summary>
/// <param name="Code">A stable word to decide by, such as <c>NOT_FOUND</c>.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Details">Facts that go with the code; <c>fields</c> maps each bad field to its messages.</param>
public sealed record ErrorBody(
    [property: AllowedValues(
        ErrorCodes.AuthError,
        ErrorCodes.InvalidCredentials,
        ErrorCodes.TokenExpired,
        ErrorCodes.TokenInvalid,
        ErrorCodes.TokenRevoked,
        ErrorCodes.Forbidden,
        ErrorCodes.NotFound,
        ErrorCodes.MethodNotAllowed,
        ErrorCodes.NotAcceptable,
        ErrorCodes.Conflict,
        ErrorCodes.PayloadTooLarge,
        ErrorCodes.UnsupportedMediaType,
        ErrorCodes.ValidationError,
        ErrorCodes.RateLimited,
        ErrorCodes.InternalError,
        ErrorCodes.ServiceUnavailable,
        ErrorCodes.BadRequest)] string Code,
    string Message,
    JsonObject Details);

/// <summary>The same facts for clients that accept <c>application/problem+json</c>, as RFC 9457 has them.</summary>
/// <param name="Type">The code as a URN.</param>
/// <param name="Title">What the status says.</param>
/// <param name="Status">The response's status.</param>
/// <param name="Detail">A sentence for people.</param>
/// <param name="Code">A stable word to decide by, such as <c>NOT_FOUND</c>.</param>
/// <param name="RequestId">As the header <c>X-Request-ID</c>.</param>
/// <param name="Details">Facts that go with the code.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, string Code, string RequestId, JsonObject Details);
