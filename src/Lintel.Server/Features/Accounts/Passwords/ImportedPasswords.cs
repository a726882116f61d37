using System.Globalization;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>
/// Knows how much the most expensive of the imported hashes costs. As long as there is one, every refused sign-in takes its time as well: otherwise the time would tell whose account
/// came from elsewhere, and so that there is one.
/// </summary>
internal sealed class ImportedPasswords
{
    private int _highestCost;

    /// <summary>0 where there is no imported hash.</summary>
    public int HighestCost => Volatile.Read(ref _highestCost);

    public void Set(int cost) => Volatile.Write(ref _highestCost, Bcrypt.IsAvailable ? Math.Min(cost, Bcrypt.MostCost) : 0);

    /// <summary>A hash of that cost was seen.</summary>
    public void Raise(int cost)
    {
        if (cost > HighestCost)
        {
            Set(cost);
        }
    }

    /// <summary>Checks an imported hash.</summary>
    public bool Verify(string hash, string password)
    {
        Raise(Bcrypt.CostOf(hash));
        return Bcrypt.Verify(hash, password);
    }

    /// <summary>Takes what is left of the time that the most expensive hash takes.</summary>
    /// <param name="hash">The one that was checked; null, or of another kind, where that took nothing of it.</param>
    public void SpendRest(string? hash, string password)
    {
        var highest = HighestCost;
        if (highest == 0)
        {
            return;
        }

        if (!Bcrypt.IsHash(hash) || Bcrypt.CostOf(hash!) is < Bcrypt.LeastCost or > Bcrypt.MostCost)
        {
            Bcrypt.Spend(highest, password);
            return;
        }

        // Each step costs twice the one before, so what was spent and these together are the highest: 2^c + (2^c + … + 2^(h-1)) = 2^h.
        for (var step = Bcrypt.CostOf(hash!); step < highest; step++)
        {
            Bcrypt.Spend(step, password);
        }
    }
}

/// <summary>Looks from time to time which imported hashes there still are, on every node: each becomes one of our own at its person's next sign-in.</summary>
internal sealed partial class ImportedPasswordWatch(Database database, ImportedPasswords imported, TimeProvider time, ILogger<ImportedPasswordWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var costs = await database.ReadAsync(
            static session => session.QueryFirstAsync(
                "SELECT max(substr(password_hash, 5, 2)) FROM account WHERE substr(password_hash, 1, 2) = '$2'", static row => row.IsDBNull(0) ? "" : row.GetString(0)),
            cancellationToken);
        imported.Set(int.TryParse(costs, NumberStyles.None, CultureInfo.InvariantCulture, out var cost) ? cost : 0);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await LookOnceMoreAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task LookOnceMoreAsync(CancellationToken stoppingToken)
    {
        try
        {
            await LookAsync(stoppingToken);
        }
        catch (StorageUnavailableException failure)
        {
            // What was known stays known.
            Log.Unavailable(logger, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Which imported passwords remain cannot be seen now: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);
    }
}
