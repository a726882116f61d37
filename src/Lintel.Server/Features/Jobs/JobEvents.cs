using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.OpenApi;

namespace Lintel.Features.Jobs;

/// <summary>The last events that the engine itself writes.</summary>
internal static class JobEvents
{
    public const string Complete = "complete";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    /// <summary>What can come over the stream of any job, for the API description.</summary>
    public static readonly MessageType[] Types =
    [
        new(Complete, typeof(JobCompleted), IsLogged: true),
        new(Failed, typeof(JobFailed), IsLogged: true),
        new(Cancelled, typeof(JobCancelled), IsLogged: true),
        new(StreamReset.EventName, typeof(StreamReset)),
    ];

    public static StreamEvent Completion(Guid jobId) => new(Complete, JsonSerializer.SerializeToUtf8Bytes(new(jobId), JobsJson.Default.JobCompleted));

    public static StreamEvent Completion(ReadOnlyMemory<byte> data)
    {
        var copy = data.ToArray();
        StreamText.JoinLines(copy);
        return new StreamEvent(Complete, copy);
    }

    public static StreamEvent Failure(Guid jobId, string message) => new(Failed, JsonSerializer.SerializeToUtf8Bytes(new(jobId, message), JobsJson.Default.JobFailed));

    public static StreamEvent Cancellation(Guid jobId, JobProgress progress) =>
        new(Cancelled, JsonSerializer.SerializeToUtf8Bytes(new(jobId, progress.Completed, progress.Total, progress.Failed), JobsJson.Default.JobCancelled));
}
