using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Lintel.Platform.Http;

/// <summary>Whom an address stands for.</summary>
internal static class ClientNetwork
{
    /// <summary>A number for an IPv4 address, or for an IPv6 network of 64 bits: that is one household or machine, which may use any address in it.</summary>
    public static UInt128 Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            // Apart from all IPv6 networks, whose lower half is zero here.
            bytes[15] = 4;
        }
        else
        {
            bytes[8..].Clear();
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
