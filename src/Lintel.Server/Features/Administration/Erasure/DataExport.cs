using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Privacy;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration.Erasure;

/// <summary>Gives all that is kept of a person as JSON lines, a page at a time. One export of a person's runs at a time: each reads all they have.</summary>
internal sealed class DataExport(Database database, IEnumerable<IPersonalData> features, AccountAudit audit)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<long, bool> _running = new();

    /// <returns>Why not; null where it was sent.</returns>
    public async Task<ErrorResult?> SendAsync(HttpContext context, long accountId, Actor by)
    {
        if (!_running.TryAdd(accountId, true))
        {
            return ApiErrors.RateLimited("An export of this account is under way; try again when it has ended.", RetryAfter);
        }

        try
        {
            await database.WriteAsync(session => audit.AddAsync(session, accountId, AccountEvents.DataExported, by), context.RequestAborted);
            var response = JsonLinesResponse.Open(context, string.Create(CultureInfo.InvariantCulture, $"lintel-account-{accountId}.jsonl"));
            foreach (var feature in features)
            {
                await foreach (var item in feature.ReadAsync(accountId, context.RequestAborted))
                {
                    await response.WriteAsync(Line(item));
                }
            }

            // Whoever reads knows by this that it is all.
            await response.WriteAsync("""{"type":"end"}"""u8.ToArray());
            await response.FlushAsync();
            return null;
        }
        finally
        {
            _running.TryRemove(accountId, out _);
        }
    }

    private static byte[] Line(PersonalItem item) => [.. Encoding.UTF8.GetBytes($"{{\"type\":\"{item.Type}\",\"data\":"), .. item.Json.Span, (byte)'}'];
}
