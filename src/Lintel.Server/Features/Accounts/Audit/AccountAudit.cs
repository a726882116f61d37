using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Audit;

/// <summary>What is kept of an event.</summary>
/// <param name="AccountId">Whose account it happened to.</param>
/// <param name="ActorId">Who did it; null for the server itself, and for somebody who was not signed in.</param>
/// <param name="Details">What else there is to know of this kind of event; never a secret.</param>
internal sealed record AuditEntry(long AccountId, long? ActorId, Guid? SessionId, Guid? KeyId, string? Address, string? UserAgent, JsonObject? Details);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AuditJson : JsonSerializerContext;

/// <summary>
/// The append-only log of what happened to accounts: one stream for each, which its owner may read, and one of all of them for administrators. An entry is written in the
/// transaction of what it tells of, so neither is there without the other.
/// </summary>
internal sealed class AccountAudit(StreamLog streams)
{
    /// <summary>The stream of everything.</summary>
    public const string Name = "accounts.audit";

    /// <summary>The stream of one account.</summary>
    public static string NameOf(long accountId) => string.Create(CultureInfo.InvariantCulture, $"accounts.activity.{accountId}");

    /// <summary>Writes down an event as part of <paramref name="unit"/>.</summary>
    /// <param name="kind">One of <see cref="AccountEvents"/>.</param>
    public async ValueTask AddAsync(DbSession unit, long accountId, string kind, Actor actor, JsonObject? details = null)
    {
        var entry = new AuditEntry(accountId, actor.AccountId, actor.SessionId, actor.KeyId, actor.Client.Address, actor.Client.UserAgent, details);
        StreamEvent[] events = [new(kind, JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry))];

        // Whose account it is gets to know who did it, and not from where: that is the other person's own.
        StreamEvent[] own = actor.AccountId is { } by && by != accountId
            ? [new(kind, JsonSerializer.SerializeToUtf8Bytes(entry with { SessionId = null, KeyId = null, Address = null, UserAgent = null }, AuditJson.Default.AuditEntry))]
            : events;
        await streams.AppendAsync(unit, await streams.GetOrCreateAsync(unit, NameOf(accountId)), own);

        // The one row that all nodes write comes last: it is locked only until the commit.
        await streams.AppendAsync(unit, await streams.GetOrCreateAsync(unit, Name), events);
    }

    /// <summary>Writes down that an account is gone, of which nothing else is left: in the log of all accounts alone.</summary>
    public async ValueTask AddLastAsync(DbSession unit, long accountId)
    {
        var entry = new AuditEntry(accountId, null, null, null, null, null, null);
        StreamEvent[] events = [new(AccountEvents.Deleted, JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry))];
        await streams.AppendAsync(unit, await streams.GetOrCreateAsync(unit, Name), events);
    }
}
