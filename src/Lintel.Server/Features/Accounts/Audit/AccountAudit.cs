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

    /// <summary>Writes down an event as part of <paramref name="unit"/>, at its end: the log of all accounts is a row that every unit wants.</summary>
    /// <param name="kind">One of <see cref="AccountEvents"/>.</param>
    public ValueTask AddAsync(DbSession unit, long accountId, string kind, Actor actor, JsonObject? details = null)
    {
        var entry = new AuditEntry(accountId, actor.AccountId, actor.SessionId, actor.KeyId, actor.Client.Address, actor.Client.UserAgent, details);

        // Whose account it is gets to know who did it, and not from where: that is the other person's own.
        var own = actor.AccountId is { } by && by != accountId ? entry with { SessionId = null, KeyId = null, Address = null, UserAgent = null } : entry;
        Append(unit, NameOf(accountId), kind, own);
        Append(unit, Name, kind, entry);
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes down that an account is gone, of which nothing else is left: in the log of all accounts alone.</summary>
    public ValueTask AddLastAsync(DbSession unit, long accountId)
    {
        Append(unit, Name, AccountEvents.Deleted, new(accountId, null, null, null, null, null, null));
        return ValueTask.CompletedTask;
    }

    private void Append(DbSession unit, string stream, string kind, AuditEntry entry) =>
        streams.AppendLast(unit, stream, new(kind, JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry)));
}
