using Lintel.Platform.Configuration;

namespace Lintel.Platform.Security;

/// <summary>How many sockets and event streams each owner has open on this node, so that one cannot take everybody's.</summary>
internal sealed class ConnectionPlaces(ServerOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, int> _taken = [];

    /// <summary>What a client is told who has as many as one may.</summary>
    public string Refusal { get; } = $"You have {options.MaxConnectionsPerOwner} sockets and streams open, as many as one account may; close some first.";

    /// <summary>Takes a place until the request ends; false when the owner has as many as one may.</summary>
    public bool TryTake(HttpContext context, long ownerId)
    {
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(ownerId);
            if (taken >= options.MaxConnectionsPerOwner)
            {
                return false;
            }

            _taken[ownerId] = taken + 1;
        }

        context.Response.RegisterForDispose(new Place(this, ownerId));
        return true;
    }

    private void Free(long ownerId)
    {
        lock (_gate)
        {
            if (--_taken[ownerId] == 0)
            {
                _taken.Remove(ownerId);
            }
        }
    }

    private sealed class Place(ConnectionPlaces places, long ownerId) : IDisposable
    {
        public void Dispose() => places.Free(ownerId);
    }
}
