using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Mail;

/// <summary>Mail to a person that waits to be sent. What was sent they have; what was not is of no use to them as rows.</summary>
internal sealed class MailPersonalData(Database database) : IPersonalData
{
    public IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, CancellationToken cancellationToken) => AsyncEnumerable.Empty<PersonalItem>();

    public async Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken)
    {
        await database.DeleteAsync("DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE owner_id = $1 LIMIT $2)", accountId, cancellationToken);
        return true;
    }
}
