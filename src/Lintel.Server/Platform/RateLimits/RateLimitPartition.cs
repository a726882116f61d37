using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Lintel.Platform.RateLimits;

/// <summary>Whose requests are counted together: those of one key or user, else those of one address, under one policy.</summary>
internal readonly record struct RateLimitPartition(RateLimitPolicy Policy, string? Caller, UInt128 Address)
{
    public static RateLimitPartition OfCaller(RateLimitPolicy policy, string caller) => new(policy, caller, default);

    /// <summary>An IPv6 network of 64 bits is one household or machine, which may use any address in it.</summary>
    public static RateLimitPartition OfAddress(RateLimitPolicy policy, IPAddress address)
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

        return new(policy, null, BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }
}
