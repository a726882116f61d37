using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Platform.Security;

/// <summary>How many sockets and event streams each owner, and each address, has open on this node, so that one cannot take everybody's.</summary>
internal sealed class ConnectionPlaces(ServerOptions options, ForwardedClient client)
{
    private readonly Places<long> _owners = new(options.MaxConnectionsPerOwner);
    private readonly Places<UInt128> _addresses = new(options.MaxConnectionsPerAddress);

    /// <summary>What a client is told whose owner has as many as one may.</summary>
    public string OwnerRefusal { get; } = $"You have {options.MaxConnectionsPerOwner} sockets and streams open, as many as one account may; close some first.";

    /// <summary>What a client is told whose address has as many as one may.</summary>
    public string AddressRefusal { get; } = $"Your network address has {options.MaxConnectionsPerAddress} sockets and streams open, as many as one may; close some first.";

    /// <summary>Takes one of an owner's places until the request ends; false when there is none.</summary>
    public bool TryTake(HttpContext context, long ownerId) => _owners.TryTake(context, ownerId);

    /// <summary>Takes one of the places of the client's address until the request ends; false when there is none.</summary>
    public bool TryTakeAddress(HttpContext context) => _addresses.TryTake(context, ClientNetwork.Of(client.AddressOf(context)));

    private sealed class Places<T>(int most)
        where T : notnull
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<T, int> _taken = [];

        public bool TryTake(HttpContext context, T whose)
        {
            lock (_gate)
            {
                var taken = _taken.GetValueOrDefault(whose);
                if (taken >= most)
                {
                    return false;
                }

                _taken[whose] = taken + 1;
            }

            context.Response.RegisterForDispose(new Place<T>(this, whose));
            return true;
        }

        public void Free(T whose)
        {
            lock (_gate)
            {
                if (--_taken[whose] == 0)
                {
                    _taken.Remove(whose);
                }
            }
        }
    }

    private sealed class Place<T>(Places<T> places, T whose) : IDisposable
        where T : notnull
    {
        public void Dispose() => places.Free(whose);
    }
}
