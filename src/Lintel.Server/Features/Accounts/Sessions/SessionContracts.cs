using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Sessions;

/// <summary>A sign-in of yours that can still be used.</summary>
/// <param name="Id">The session; its access tokens say it as <c>sid</c>.</param>
/// <param name="Device">What it was opened with, in plain words.</param>
/// <param name="Address">Where it was opened from.</param>
/// <param name="CreatedAt">When you signed in.</param>
/// <param name="LastUsedAt">When it was last refreshed, which a client in use does about as often as its access tokens expire.</param>
/// <param name="ExpiresAt">When it ends unless it is refreshed before.</param>
/// <param name="Methods">How you proved who you are.</param>
/// <param name="Current">True for the session that this request was made with.</param>
/// <example>{"id":"0198d3f0-5a6b-7c8d-9e0f-a1b2c3d4e5f6","device":"Firefox on Linux","address":"192.0.2.7","created_at":"2026-01-31T12:00:00.123456Z","last_used_at":"2026-01-31T12:15:00.123456Z","expires_at":"2026-02-07T12:15:00Z","methods":["pwd"],"current":true}</example>
public sealed record SessionView(
    Guid Id,
    [property: Required] string Device,
    string? Address,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt,
    DateTimeOffset ExpiresAt,
    [property: Required] IReadOnlyList<string> Methods,
    bool Current);

/// <summary>All of your sessions, the one used last first.</summary>
/// <param name="Sessions">As many as one account may have, at most.</param>
/// <param name="Next">Always null: there is one page.</param>
public sealed record SessionList([property: Required] IReadOnlyList<SessionView> Sessions, string? Next);

/// <summary>Sessions are over.</summary>
/// <param name="Ended">How many were.</param>
/// <example>{"ended":3}</example>
public sealed record EndedSessions(int Ended);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(EndedSessions))]
internal sealed partial class SessionsJson : JsonSerializerContext;
