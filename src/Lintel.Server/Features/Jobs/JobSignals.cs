using Lintel.Platform.Storage;

namespace Lintel.Features.Jobs;

/// <summary>Wakes the runners, here and on other nodes. Like every hint it may be lost: runners also look from time to time.</summary>
internal sealed class JobSignals(Hints hints)
{
    private const string Available = "job";
    private const string Cancel = "cancel";

    private Action<string>? _onAvailable;
    private Action<string>? _onComing;
    private Action<Guid>? _onCancel;

    /// <param name="onAvailable">Gets the kind of a job that waits.</param>
    /// <param name="onComing">Gets the kind of a job that is being submitted.</param>
    /// <param name="onCancel">Gets the job that is to stop.</param>
    public void Listen(Action<string> onAvailable, Action<string> onComing, Action<Guid> onCancel)
    {
        _onAvailable = onAvailable;
        _onComing = onComing;
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

    /// <summary>
    /// Tells the runner here that <paramref name="session"/> is about to submit a job. On SQLite, which runs one unit after the other, a claim that begins now comes behind it, and
    /// mostly becomes durable with it. Elsewhere it would find nothing yet.
    /// </summary>
    public void JobComing(DbSession session, string kind)
    {
        if (session.Kind == DatabaseKind.Sqlite)
        {
            _onComing?.Invoke(kind);
        }
    }

    public void CancelRequested(Guid id)
    {
        _onCancel?.Invoke(id);
        hints.Send(Cancel, id.ToString());
    }
}
