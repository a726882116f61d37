namespace Lintel.Features.Beams.Reports;

/// <summary>What a batch came to, for the head of its report.</summary>
internal sealed class ResultSummary(Guid jobId, DateTimeOffset at)
{
    private readonly int[] _defaults = new int[Enum.GetValues<BeamParameter>().Length];

    public Guid JobId => jobId;

    public DateTimeOffset At => at;

    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public int Refused { get; private set; }

    /// <summary>The first beam with the greatest utilization, that, and whose it is; null while no beam was designed.</summary>
    public (string Id, double Utilization, string Check)? Worst { get; private set; }

    /// <summary>How many beams were designed with the default of a parameter.</summary>
    public int Defaults(BeamParameter parameter) => _defaults[(int)parameter];

    public void Add(ResultRow row)
    {
        if (row.Input is not { } input)
        {
            Refused++;
            return;
        }

        (Passed, Failed) = row.Status == "PASS" ? (Passed + 1, Failed) : (Passed, Failed + 1);
        foreach (var parameter in Enum.GetValues<BeamParameter>())
        {
            _defaults[(int)parameter] += input.IsDefault(parameter) ? 1 : 0;
        }

        var (utilization, check) = row.Governing;
        if (Worst is not { } worst || utilization > worst.Utilization)
        {
            Worst = (row.Id, utilization, check);
        }
    }
}
