using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;
using Spectre.Console;

namespace Lintel.Cli.Beams;

/// <summary>How the results of a batch are written.</summary>
internal enum BatchFormat
{
    /// <summary>What a person should look at first; every beam where a program reads it.</summary>
    Table,

    /// <summary>Every beam, as a table for other programs.</summary>
    Csv,

    /// <summary>Every beam as the server says it, one JSON object a line.</summary>
    Json,
}

/// <summary>Follows a batch of beams to its end and shows its results.</summary>
internal sealed class BatchWatch(ApiClient api, TimeProvider time, BatchFormat format, bool showAll = false)
{
    /// <summary>What a person can take in.</summary>
    private const int ShownRows = 20;

    private readonly List<BeamResult> _results = [];
    private readonly bool _hasBar = Screen.CanAnimate && (format == BatchFormat.Table || !StandardStreams.OutputIsTerminal);
    private int _breaks;
    private string? _end;
    private string? _failure;
    private double _duration;

    /// <returns>0 when every beam passes, 1 when one does not.</returns>
    public async Task<int> RunAsync(Guid jobId, long total, CancellationToken cancellationToken)
    {
        if (_hasBar)
        {
            await Screen.Err.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .StartAsync(async progress =>
                {
                    var task = progress.AddTask(Describe(broken: false), maxValue: Math.Max(1, total));
                    await FollowAsync(jobId, isBroken => task.Description = Describe(isBroken), () => task.Value = _results.Count, cancellationToken);
                });
        }
        else
        {
            await FollowAsync(jobId, static isBroken => StandardStreams.Tell(Describe(isBroken)), static () => { }, cancellationToken);
        }

        return Conclude();
    }

    private static string Describe(bool broken) => broken ? "The connection broke; reconnecting …" : "Designing";

    private async Task FollowAsync(Guid jobId, Action<bool> tell, Action advance, CancellationToken cancellationToken)
    {
        var stream = new EventStream(api, EventSource.OfJob(jobId), time)
        {
            Broken = () =>
            {
                _breaks++;
                tell(true);
            },
            Restored = () => tell(false),
        };
        if (format == BatchFormat.Csv)
        {
            WriteCsv(BeamResult.Columns);
        }

        await foreach (var item in stream.ReadAsync(null, isBroken: false, cancellationToken))
        {
            switch (item.Kind)
            {
                case "design_result" or "error":
                    Take(item);
                    advance();
                    break;
                case "complete" or "failed" or "cancelled":
                    using (var data = JsonDocument.Parse(item.Data))
                    {
                        _end = item.Kind;
                        _duration = data.RootElement.TryGetProperty("duration_seconds", out var seconds) ? seconds.GetDouble() : 0;
                        _failure = data.RootElement.TryGetProperty("message", out var message) ? message.GetString() : null;
                    }

                    break;
            }
        }
    }

    private void Take(in ServerEvent item)
    {
        var result = BeamResult.Of(item);
        _results.Add(result);
        switch (format)
        {
            case BatchFormat.Json:
                EventLine.Write(item);
                break;
            case BatchFormat.Csv:
                WriteCsv(result.Cells());
                break;
        }
    }

    private int Conclude()
    {
        if (_breaks > 0)
        {
            StandardStreams.Tell(string.Create(CultureInfo.InvariantCulture, $"The connection broke {(_breaks == 1 ? "once" : $"{_breaks} times")}; nothing was lost."));
        }

        if (format == BatchFormat.Table)
        {
            WriteTable();
        }

        var passed = _results.Count(static result => result.Status == "PASS");
        var failed = _results.Count(static result => result.Status == "FAIL");
        var refused = _results.Count - passed - failed;
        StandardStreams.Err.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_results.Count} beams: {passed} PASS, {failed} FAIL, {refused} refused{(_end == "complete" ? $", in {_duration:0.00} s" : "")}."));
        switch (_end)
        {
            case "complete":
                return passed == _results.Count ? ExitCode.Ok : ExitCode.No;
            case "cancelled":
                StandardStreams.Tell("The batch was cancelled before it was done.");
                return ExitCode.Interrupted;
            default:
                StandardStreams.Tell($"The batch failed: {_failure ?? "the server did not say why."}");
                return ExitCode.Unavailable;
        }
    }

    private void WriteTable()
    {
        var isForPerson = StandardStreams.OutputIsTerminal && !showAll;
        var shown = isForPerson
            ? _results.OrderBy(static result => result.Rank).ThenByDescending(static result => result.Utilization).Take(ShownRows)
            : _results;
        if (_results.Count > 0)
        {
            Screen.Table(BeamResult.Columns, shown.Select(static result => result.Cells()), BeamResult.Numbers);
        }

        if (isForPerson && _results.Count > ShownRows)
        {
            StandardStreams.Err.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Those that need a look first; {_results.Count - ShownRows} more with --all, or as a file with --csv."));
        }
    }

    private static void WriteCsv(string[] cells) => StandardStreams.Out.WriteLine(string.Join(',', cells.Select(static cell =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")));
}
