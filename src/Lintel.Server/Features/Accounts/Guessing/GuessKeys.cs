using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.Guessing;

/// <summary>
/// Under what tries are counted: hashes with a key that is not in the database. So its rows tell no addresses, and a subject that is nobody's has rows like any other's.
/// </summary>
internal sealed class GuessKeys(SecretKey secret)
{
    private const int KeyLength = 32;
    private const int HashLength = 16;

    private readonly byte[] _key = secret.Derive("lintel guesses v1", [], KeyLength);

    public GuessSubject Of(GuessKind kind, string subject, ClientInfo client)
    {
        var aimedAt = Hash('s', (byte)kind, Encoding.UTF8.GetBytes(subject));
        Span<byte> network = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(network, NetworkOf(client));
        return new(aimedAt, Hash('n', (byte)kind, network), Hash('p', (byte)kind, [.. aimedAt, .. network]), PlaceOf(subject, client));
    }

    /// <summary>Of a device by itself, wherever it is.</summary>
    public byte[] Of(GuessKind kind, Guid device) => Hash('d', (byte)kind, device.ToByteArray());

    /// <summary>Where a subject's right answers come from: one for all kinds.</summary>
    public GuessPlace PlaceOf(string subject, ClientInfo client)
    {
        var aimedAt = Hash('a', 0, Encoding.UTF8.GetBytes(subject));
        Span<byte> network = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(network, NetworkOf(client));
        return new(aimedAt, Hash('w', 0, [.. aimedAt, .. network]));
    }

    /// <summary>The network of an address as text; for IPv6 that of 64 bits. All clients without an address are one.</summary>
    public static UInt128 NetworkOf(ClientInfo client) => IPAddress.TryParse(client.Address, out var address) ? ClientNetwork.Of(address) : 0;

    private byte[] Hash(char purpose, byte kind, ReadOnlySpan<byte> data) =>
        HMACSHA256.HashData(_key, (byte[])[(byte)purpose, kind, .. data])[..HashLength];
}

/// <param name="Account">The account, or what was taken for one.</param>
/// <param name="Network">Where the try comes from.</param>
/// <param name="Pair">Both together.</param>
/// <param name="Place">Both together, whatever is guessed at.</param>
internal readonly record struct GuessSubject(byte[] Account, byte[] Network, byte[] Pair, GuessPlace Place);

/// <param name="Account">The account, or what was taken for one.</param>
/// <param name="Network">That account's, from there.</param>
internal readonly record struct GuessPlace(byte[] Account, byte[] Network);
