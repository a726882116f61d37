using System.Text.Json.Nodes;

namespace Lintel.Platform.Errors;

/// <summary>What every error looks like. The server writes it by hand; this describes it.</summary>
public sealed record ErrorEnvelope(ErrorBody Error, string RequestId);

/// <summary>The error itself.</summary>
/// <param name="Code">A stable word to decide by, such as <c>NOT_FOUND</c>.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Details">Facts that go with the code; <c>fields</c> maps each bad field to its messages.</param>
public sealed record ErrorBody(string Code, string Message, JsonObject Details);

/// <summary>The same facts for clients that accept <c>application/problem+json</c>.</summary>
public sealed record Problem(string Type, string Title, int Status, string Detail, string Code, string RequestId, JsonObject Details);
