using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Wakes the runners, here and on other nodes. Like every hint it may be lost: runners also look from time to time.</summary>
internal sealed class JobSignals(Hints hints)
{
    private const string Available = "job";
    private const string Cancel = "cancel";

    private Action? _onAvailable;
    private Action<Guid>? _onCancel;

    public void Listen(Action onAvailable, Action<Guid> onCancel)
    {
        _onAvailable = onAvailable;
        _onCancel = onCancel;
        hints.Subscribe(Available, _ => onAvailable());
        hints.Subscribe(Cancel, value =>
        {
            if (Guid.TryParse(value, out var id))
            {
                onCancel(id);
            }
        });
    }

    public void JobAvailable()
    {
        _onAvailable?.Invoke();
        hints.Send(Available, "");
    }

    public void CancelRequested(Guid id)
    {
        _onCancel?.Invoke(id);
        hints.Send(Cancel, id.ToString());
    }
}
