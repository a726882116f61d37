using System.Text;
using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Revocation;

/// <summary>
/// The stream in which nodes tell each other of revoked sessions and keys. It is written in the transaction that revokes, so neither happens
/// without the other. On SQLite there is no other node, and nothing is written.
/// </summary>
internal sealed class RevocationLog(Database database, StreamLog streams)
{
    public const string Name = "accounts.revocations";

    private const string Kind = "revoked";

    private long _streamId;

    public bool IsUsed => database.Kind == DatabaseKind.Postgres;

    /// <summary>Makes the stream, if no node has.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (IsUsed)
        {
            _streamId = await database.WriteAsync(session => streams.GetOrCreateAsync(session, Name), cancellationToken);
        }
    }

    /// <summary>Tells the other nodes as part of <paramref name="unit"/>, at its end.</summary>
    public void Append(DbSession unit, Guid credentialId)
    {
        if (IsUsed)
        {
            streams.AppendLast(unit, Name, new StreamEvent(Kind, Encoding.UTF8.GetBytes($$"""{"id":"{{credentialId}}"}""")));
        }
    }

    /// <summary>The session or key that an event of the stream tells of; null for an event of a kind that this version does not know.</summary>
    public static Guid? Read(StreamEvent item)
    {
        if (item.Kind != Kind)
        {
            return null;
        }

        using var json = JsonDocument.Parse(item.Data);
        return json.RootElement.GetProperty("id").GetGuid();
    }

    /// <summary>Forgets the events of before <paramref name="moment"/>: nothing of theirs is alive.</summary>
    public async Task PruneAsync(DateTimeOffset moment, CancellationToken cancellationToken)
    {
        if (!IsUsed)
        {
            return;
        }

        var last = await database.ReadAsync(
            session => session.QueryFirstAsync(
                "SELECT seq FROM event WHERE stream_id = $1 AND at < $2 ORDER BY seq DESC LIMIT 1", static row => row.GetInt64(0), _streamId, moment.ToMicroseconds()),
            cancellationToken);
        if (last != 0)
        {
            await streams.PruneAsync(_streamId, last + 1, cancellationToken);
        }
    }
}
