using System.Globalization;
using Lintel.Features.Streams;
using Lintel.Platform.Security;

namespace Lintel.Features.Jobs;

/// <summary>Kinds of jobs that do what a test says.</summary>
internal static class TestKind
{
    public const string Name = "test";

    public static JobKind Of(Func<JobContext, CancellationToken, Task<JobOutcome>> run, string name = Name, int maxAttempts = 3) =>
        new(name, Scopes.Design) { CreateHandler = _ => new Handler(run), MaxAttempts = maxAttempts };

    /// <summary>Emits the numbers 1 to <paramref name="count"/>, going on where the attempt before it ended.</summary>
    public static async Task<JobOutcome> CountAsync(JobContext job, int count, CancellationToken cancellationToken, Func<long, Task>? before = null)
    {
        for (var i = job.EventsSoFar + 1; i <= count; i++)
        {
            if (before is not null)
            {
                await before(i);
            }

            cancellationToken.ThrowIfCancellationRequested();
            await job.EmitAsync("number", TestEvent.Of(i).Data.Span);
            job.ReportProgress(i, count, 0);
        }

        return JobOutcome.Complete();
    }

    public static string[] Numbers(int count) => [.. Enumerable.Range(1, count).Select(static i => i.ToString(CultureInfo.InvariantCulture))];

    private sealed class Handler(Func<JobContext, CancellationToken, Task<JobOutcome>> run) : IJobHandler
    {
        public Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken) => run(job, cancellationToken);
    }
}
