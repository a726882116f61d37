using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Beams;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel beams</c>.</summary>
internal static class BeamCommands
{
    private const int LargestBatch = 16 * 1024 * 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private const int Attempts = 20;

    private static readonly string[] CheckColumns = ["case", "safe", "Mu kN.m", "Vu kN", "Ast mm2", "Asc mm2", "stirrups mm", "utilization", "remark"];

    public static Command Create(GlobalOptions options) => new("beams", "Design and check reinforced-concrete beams to IS 456:2000.")
    {
        Design(options),
        Check(options),
    };

    private static Command Design(GlobalOptions options)
    {
        var path = new Argument<string>("file")
        {
            Description = "The beams: a CSV file whose first line names the columns (id,width,depth,moment,shear,fck,fy,cover, …), a JSON array, or - for standard input.",
        };
        var json = new Option<bool>("--json") { Description = "Every result as one JSON object a line." };
        var csv = new Option<bool>("--csv") { Description = "Every result as a table in CSV." };
        var all = new Option<bool>("--all", "-a") { Description = "Every beam in the table, in the order of the file." };
        var command = new Command("design", "Design a batch of beams. The exit code is 0 when every beam passes, 1 when one does not.") { path, json, csv, all };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var format = (parse.GetValue(json), parse.GetValue(csv)) switch
            {
                (true, true) => throw new CommandException(ExitCode.Usage, "--json and --csv exclude each other."),
                (true, _) => BatchFormat.Json,
                (_, true) => BatchFormat.Csv,
                _ => BatchFormat.Table,
            };
            var file = await BeamFile.ReadAsync(parse.GetRequiredValue(path), cancellationToken);
            file.Warnings.ToList().ForEach(StandardStreams.Tell);
            using var api = options.Connect(parse);
            return await DesignAsync(api, file, new BatchWatch(api, GlobalOptions.Time, format, parse.GetValue(all)), cancellationToken);
        });
        return command;
    }

    private static Command Check(GlobalOptions options)
    {
        var path = new Argument<string>("file") { Description = "A section and its load cases, in JSON: {\"width\":300,\"depth\":500, …, \"cases\":[{\"case_id\":\"1\",\"mu_knm\":90,\"vu_kn\":60}]}; - for standard input." };
        var json = new Option<bool>("--json") { Description = "As the server says it, in JSON." };
        var command = new Command("check", "Check one section for several load cases. The exit code is 0 when every case is safe, 1 when one is not.") { path, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var body = Encoding.UTF8.GetBytes(await BeamFile.ReadTextAsync(parse.GetRequiredValue(path), cancellationToken));
            using var api = options.Connect(parse);
            var answer = await api.PostAsync("api/beams/check", body, ApiJson.Default.JsonElement, cancellationToken);
            var check = answer.Deserialize(ApiJson.Default.CheckedBeam)!;
            if (parse.GetValue(json))
            {
                JsonLine.Write(answer.GetRawText());
            }
            else
            {
                Screen.Table(CheckColumns, check.Cases.Select(Cells), 2, 3, 4, 5, 6, 7);
                await StandardStreams.Err.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"{(check.IsOk ? "Safe" : "Not safe")}; case {check.GoverningCaseId} governs, at {check.GoverningUtilization:0.00}."));
            }

            return check.IsOk ? ExitCode.Ok : ExitCode.No;
        });
        return command;
    }

    private static async Task<int> DesignAsync(ApiClient api, BeamFile file, BatchWatch watch, CancellationToken cancellationToken)
    {
        using var interruption = new Interruption(cancellationToken);
        var job = await SubmitAsync(api, file, interruption.Token);
        try
        {
            return await watch.RunAsync(job.JobId, file.Count, interruption.Token);
        }
        catch (Exception stopped) when (interruption.Signal is not null || stopped is BrokenPipeException)
        {
            // Nobody waits for the rest.
            await api.DeleteAsync($"api/jobs/{job.JobId}", CancellationToken.None);
            if (interruption.Signal is not { } signal)
            {
                throw;
            }

            StandardStreams.Tell("The batch was cancelled.");
            return 128 + signal;
        }
    }

    /// <summary>Submits the batch. The same key makes a repeated request the same job, so whoever got no answer asks again.</summary>
    private static async Task<JobView> SubmitAsync(ApiClient api, BeamFile file, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new CreateJob("batch-design", file.Beams), ApiJson.Compact.CreateJob);
        if (body.Length > LargestBatch)
        {
            throw new CommandException(ExitCode.BadData, $"The beams are larger than {LargestBatch / 1024 / 1024} MB together, which is too much for one batch; split the file.");
        }

        var key = Guid.CreateVersion7(GlobalOptions.Time.GetUtcNow()).ToString();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await api.PostAsync("api/jobs", body, ApiJson.Default.JobView, cancellationToken, key);
            }
            catch (ServerUnreachableException broken) when (attempt < Attempts && (attempt > 1 || broken.MayHaveArrived))
            {
                StandardStreams.Tell("The connection broke; sending the beams again …");
                await Task.Delay(Pause, GlobalOptions.Time, cancellationToken);
            }
        }
    }

    private static string[] Cells(CheckedCase item) =>
    [
        item.CaseId,
        item.IsOk ? "PASS" : "FAIL",
        Number(item.MuKnm, "0.##"),
        Number(item.VuKn, "0.##"),
        Number(item.AstRequired, "0"),
        Number(item.AscRequired, "0"),
        Number(item.StirrupSpacing, "0"),
        Number(item.GoverningUtilization, "0.00"),
        string.Join("; ", item.FailedChecks),
    ];

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
