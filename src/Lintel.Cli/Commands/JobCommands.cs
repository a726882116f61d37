using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Beams;
using Lintel.Cli.Running;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary><c>lintel jobs</c>.</summary>
internal static class JobCommands
{
    private static readonly string[] Columns = ["job", "kind", "status", "progress", "created", "error"];

    public static Command Create(GlobalOptions options) => new("jobs", "List, watch and cancel your jobs: batches of beams, programs that run.")
    {
        List(options),
        Show(options),
        Watch(options),
        Cancel(options),
    };

    private static Command List(GlobalOptions options)
    {
        var status = new Option<string?>("--status") { Description = "Only those that are queued, running, complete, failed or cancelled.", HelpName = "status" };
        var kind = new Option<string?>("--kind") { Description = "Only those of a kind, such as execute or batch-design.", HelpName = "kind" };
        var limit = new Option<int?>("--limit", "-n") { Description = "How many at most.", HelpName = "count", CustomParser = Values.Count, DefaultValueFactory = static _ => 20 };
        var json = Pages.Json();
        var command = new Command("list", "List your jobs, newest first.") { status, kind, limit, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var jobs = await Pages.ReadAsync(
                api, "api/jobs", "jobs", parse.GetValue(limit)!.Value, cancellationToken, ("status", parse.GetValue(status)), ("kind", parse.GetValue(kind)));
            if (parse.GetValue(json))
            {
                Pages.Write(jobs);
            }
            else
            {
                Screen.Table(Columns, jobs.Select(static job => Cells(job.Deserialize(ApiJson.Default.JobView)!)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Show(GlobalOptions options)
    {
        var id = Job();
        var json = new Option<bool>("--json") { Description = "As the server says it, in JSON." };
        var command = new Command("show", "Show how a job stands.") { id, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var path = $"api/jobs/{parse.GetRequiredValue(id)}";
            if (parse.GetValue(json))
            {
                JsonLine.Write((await api.GetAsync(path, ApiJson.Default.JsonElement, cancellationToken)).GetRawText());
                return ExitCode.Ok;
            }

            var job = await api.GetAsync(path, ApiJson.Default.JobView, cancellationToken);
            Screen.Table([], Facts(job));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Watch(GlobalOptions options)
    {
        var id = Job();
        var json = new Option<bool>("--json") { Description = "Every event as one JSON object a line, with its kind as `event`." };
        var command = new Command(
            "watch", "Watch a job from its beginning to its end: what a program prints, and its exit code; a batch's progress and results. Leaving does not end the job.") { id, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var job = await api.GetAsync($"api/jobs/{parse.GetRequiredValue(id)}", ApiJson.Default.JobView, cancellationToken);
            return (job.Kind, parse.GetValue(json)) switch
            {
                ("execute", false) => await WatchProgramAsync(api, job.JobId, cancellationToken),
                ("batch-design", false) => await new BatchWatch(api, GlobalOptions.Time, BatchFormat.Table).RunAsync(job.JobId, job.Progress.Total, cancellationToken),
                _ => await WatchEventsAsync(api, job.JobId, cancellationToken),
            };
        });
        return command;
    }

    private static Command Cancel(GlobalOptions options)
    {
        var id = Job();
        var command = new Command("cancel", "Cancel a job.") { id };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var api = options.Connect(parse);
            var job = await api.DeleteAsync($"api/jobs/{parse.GetRequiredValue(id)}", ApiJson.Default.JobView, cancellationToken);
            await StandardStreams.Err.WriteLineAsync(job.Status switch
            {
                "cancelled" => "Cancelled.",
                "complete" or "failed" => $"It had ended before: {job.Status}.",
                _ => "It is being cancelled.",
            });
            return ExitCode.Ok;
        });
        return command;
    }

    private static Argument<Guid> Job() => new("job") { Description = "The job's id, from `lintel jobs list`.", CustomParser = Values.Id };

    private static string[] Cells(JobView job) => [job.JobId.ToString(), job.Kind, job.Status, ProgressOf(job), Moment.Of(job.CreatedAt), job.Error ?? ""];

    private static async Task<int> WatchProgramAsync(ApiClient api, Guid jobId, CancellationToken cancellationToken)
    {
        var view = new RunView();
        await foreach (var item in Events(api, jobId).ReadAsync(null, isBroken: false, cancellationToken))
        {
            using var data = JsonDocument.Parse(item.Data);
            view.Take(item.Kind, item.Id, data.RootElement);
        }

        var (exitCode, message) = RunVerdict.Of(view);
        if (message is not null)
        {
            StandardStreams.Tell(message);
        }

        return exitCode;
    }

    private static async Task<int> WatchEventsAsync(ApiClient api, Guid jobId, CancellationToken cancellationToken)
    {
        var last = "";
        await foreach (var item in Events(api, jobId).ReadAsync(null, isBroken: false, cancellationToken))
        {
            EventLine.Write(item);
            last = item.Kind;
        }

        return last switch
        {
            "complete" => ExitCode.Ok,
            "cancelled" => ExitCode.Interrupted,
            _ => ExitCode.No,
        };
    }

    private static EventStream Events(ApiClient api, Guid jobId) => EventStream.Telling(api, EventSource.OfJob(jobId), GlobalOptions.Time);

    private static string ProgressOf(JobView job) => job.Progress.Total > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{job.Progress.Completed}/{job.Progress.Total}")
        : job.QueuePosition is { } position ? string.Create(CultureInfo.InvariantCulture, $"number {position} in the queue") : "";

    private static IEnumerable<string[]> Facts(JobView job)
    {
        yield return ["job", job.JobId.ToString()];
        yield return ["kind", job.Kind];
        yield return ["status", job.CancelRequested && job.CompletedAt is null ? job.Status + ", to be cancelled" : job.Status];
        if (ProgressOf(job) is { Length: > 0 } progress)
        {
            yield return ["progress", progress];
        }

        yield return ["created", Moment.Of(job.CreatedAt)];
        if (job.StartedAt is { } started)
        {
            yield return ["started", Moment.Of(started)];
        }

        if (job.CompletedAt is { } completed)
        {
            yield return ["ended", Moment.Of(completed)];
        }

        if (job.Error is { } error)
        {
            yield return ["error", error];
        }
    }
}
