namespace Lintel.Features.Jobs;

/// <summary>
/// The inputs of jobs that were submitted here a moment ago, so that a claim on the same node need not read them back. Only a shortcut: the database has them all.
/// </summary>
internal sealed class JobInputs
{
    // More than one body's limit, so that one large batch does not push itself out.
    private const int MaxBytes = 32 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly LinkedList<(Guid Id, byte[] Input)> _oldestFirst = [];
    private readonly Dictionary<Guid, LinkedListNode<(Guid Id, byte[] Input)>> _nodes = [];
    private long _bytes;

    public void Keep(Guid id, byte[] input)
    {
        lock (_gate)
        {
            _nodes.Add(id, _oldestFirst.AddLast((id, input)));
            _bytes += input.Length;
            while (_bytes > MaxBytes)
            {
                ForgetLocked(_oldestFirst.First!.Value.Id);
            }
        }
    }

    /// <summary>The job's input; null when it is not here.</summary>
    public byte[]? Find(Guid id)
    {
        lock (_gate)
        {
            return _nodes.TryGetValue(id, out var node) ? node.Value.Input : null;
        }
    }

    public void Forget(Guid id)
    {
        lock (_gate)
        {
            ForgetLocked(id);
        }
    }

    private void ForgetLocked(Guid id)
    {
        if (_nodes.Remove(id, out var node))
        {
            _oldestFirst.Remove(node);
            _bytes -= node.Value.Input.Length;
        }
    }
}
