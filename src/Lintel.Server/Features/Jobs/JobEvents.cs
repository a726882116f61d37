using Lintel.Features.Streams;

namespace Lintel.Features.Jobs;

/// <summary>The last events that the engine itself writes.</summary>
internal static class JobEvents
{
    public const string Complete = "complete";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static StreamEvent Completion(Guid jobId) => new(Complete, StreamText.Write(json => json.WriteString("job_id"u8, jobId)));

    public static StreamEvent Completion(ReadOnlyMemory<byte> data)
    {
        var copy = data.ToArray();
        StreamText.JoinLines(copy);
        return new StreamEvent(Complete, copy);
    }

    public static StreamEvent Failure(Guid jobId, string message) => new(Failed, StreamText.Write(json =>
    {
        json.WriteString("job_id"u8, jobId);
        json.WriteString("message"u8, message);
    }));

    public static StreamEvent Cancellation(Guid jobId, JobProgress progress) => new(Cancelled, StreamText.Write(json =>
    {
        json.WriteString("job_id"u8, jobId);
        json.WriteNumber("completed"u8, progress.Completed);
        json.WriteNumber("total"u8, progress.Total);
        json.WriteNumber("failed"u8, progress.Failed);
    }));
}
