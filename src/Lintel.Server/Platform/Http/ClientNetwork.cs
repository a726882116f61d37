using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Lintel.Platform.Http;

/// <summary>Whom an address stands for, as a number: the address for IPv4; for IPv6 the network of 64 bits, which is one household or machine, that may use any address in it.</summary>
internal static class ClientNetwork
{
    // In the lower half, which is zero for IPv6.
    private const ulong IPv4 = 4;

    public static UInt128 Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new(BinaryPrimitives.ReadUInt64BigEndian(bytes), 0)
            : new(BinaryPrimitives.ReadUInt64BigEndian(bytes), IPv4);
    }

    /// <summary>The IPv6 network of 48 bits around: what a provider gives one customer at most, who then has 65,536 of the smaller ones. Null for IPv4.</summary>
    public static UInt128? SiteOf(UInt128 network) => (ulong)network == IPv4 ? null : Mask(network, 48);

    /// <summary>The part of the internet around, of which there are not many: 16 bits of IPv4, 32 of IPv6.</summary>
    public static UInt128 RegionOf(UInt128 network) => (ulong)network == IPv4 ? Mask(network, 16) | IPv4 : Mask(network, 32);

    private static UInt128 Mask(UInt128 network, int bits) => network & (UInt128.MaxValue << (128 - bits));
}
