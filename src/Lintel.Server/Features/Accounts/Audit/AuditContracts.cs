using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Audit;

/// <summary>Something that happened to an account.</summary>
/// <param name="Id">Its place in the log: what <c>after</c> takes.</param>
/// <param name="Kind">What happened, such as <c>session.opened</c>.</param>
/// <param name="At">When.</param>
/// <param name="AccountId">Whose account it happened to.</param>
/// <param name="ActorId">Who did it; null for the server itself, and for somebody who was not signed in.</param>
/// <param name="SessionId">The session in which it was done, where its owner did it.</param>
/// <param name="KeyId">The API key with which it was done.</param>
/// <param name="Address">From where, as far as you may know that.</param>
/// <param name="UserAgent">With which program.</param>
/// <param name="Details">What else there is to know of this kind of event.</param>
/// <example>{"id":"accounts.activity.7.1795331425000000.3","kind":"session.opened","at":"2026-01-31T12:00:00.123456Z","account_id":7,"actor_id":7,"session_id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","key_id":null,"address":"192.0.2.7","user_agent":"curl/8.5.0","details":{"methods":"pwd"}}</example>
public sealed record ActivityView(
    [property: Required] string Id,
    [property: Required] string Kind,
    DateTimeOffset At,
    long AccountId,
    long? ActorId,
    Guid? SessionId,
    Guid? KeyId,
    string? Address,
    string? UserAgent,
    JsonElement? Details);

/// <summary>A page of what happened.</summary>
/// <param name="Events">Newest first.</param>
/// <param name="Next">Goes into <c>after</c> for the next page, which is older; null on the last one.</param>
public sealed record ActivityList([property: Required] IReadOnlyList<ActivityView> Events, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ActivityView))]
[JsonSerializable(typeof(ActivityList))]
internal sealed partial class ActivityJson : JsonSerializerContext;
