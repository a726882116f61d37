using System.Runtime.CompilerServices;
using Lintel.Platform.Storage;

namespace Lintel.Platform.Privacy;

/// <summary>What a feature keeps of a person: how it is given to them, and how it is removed with their account. Each feature that keeps something has one.</summary>
internal interface IPersonalData
{
    /// <summary>Everything, a page at a time.</summary>
    IAsyncEnumerable<PersonalItem> ReadAsync(long accountId, CancellationToken cancellationToken);

    /// <summary>
    /// Removes everything, some rows at a time. It may have been begun before and have been interrupted anywhere; nobody signs in to the account any more. Rows that refer to the account
    /// with a cascade go with it in the end, so that what is written meanwhile does not stay.
    /// </summary>
    /// <returns>False where something holds on to it still, and it must be tried again.</returns>
    Task<bool> EraseAsync(long accountId, CancellationToken cancellationToken);
}

/// <param name="Type">What it is: <c>task</c>, <c>file</c>.</param>
/// <param name="Json">One JSON value in UTF-8.</param>
internal readonly record struct PersonalItem(string Type, ReadOnlyMemory<byte> Json);

internal static class PersonalRows
{
    private const long BatchSize = 200;

    /// <summary>Deletes a person's rows, some at a time.</summary>
    /// <param name="statement">Deletes rows of account <c>$1</c>, <c>$2</c> of them at most.</param>
    public static async Task DeleteAsync(this Database database, string statement, long accountId, CancellationToken cancellationToken)
    {
        while (await database.WriteAsync(session => session.ExecuteAsync(statement, accountId, BatchSize), cancellationToken) >= BatchSize)
        {
        }
    }

    /// <summary>All pages of something, one item after the other.</summary>
    /// <param name="read">Reads the page behind an item, or the first one; the last one is empty.</param>
    public static async IAsyncEnumerable<T> PagesAsync<T>(Func<T?, Task<List<T>>> read, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        T? last = null;
        while (await read(last) is { Count: > 0 } page)
        {
            foreach (var item in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return item;
            }

            last = page[^1];
        }
    }
}
