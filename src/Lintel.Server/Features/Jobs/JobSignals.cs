using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Wakes the runners, here and on other nodes. Like every hint it may be lost: runners also look from time to time.</summary>
internal sealed class JobSignals(Hints hints)
{
    private const string Available = "job";
    private const string Cancel = "cancel";

    private Action<string>? _onAvailable;
    private Action<Guid>? _onCancel;

    /// <param name="onAvailable">Gets the kind of a job that waits.</param>
    /// <param name="onCancel">Gets the job that is to stop.</param>
    public void Listen(Action<string> onAvailable, Action<Guid> onCancel)
    {
        _onAvailable = onAvailable;
        _onCancel = onCancel;
        hints.Subscribe(Available, onAvailable);
        hints.Subscribe(Cancel, value =>
        {
            if (Guid.TryParse(value, out var id))
            {
                onCancel(id);
            }
        });
    }

    public void JobAvailable(string kind)
    {
        _onAvailable?.Invoke(kind);
        hints.Send(Available, kind);
    }

    public void CancelRequested(Guid id)
    {
        _onCancel?.Invoke(id);
        hints.Send(Cancel, id.ToString());
    }
}
