using System.Security.Cryptography;

namespace Lintel.Features.Files.Tus;

/// <summary>What the bytes of one request must be, as the field <c>Upload-Checksum</c> has it.</summary>
internal sealed class UploadChecksum
{
    /// <summary>SHA-1 because the protocol asks for it; it guards against accidents only.</summary>
    public const string Algorithms = "sha1,sha256";

    private readonly HashAlgorithmName _algorithm;
    private readonly byte[] _expected;

    private UploadChecksum(HashAlgorithmName algorithm, byte[] expected) => (_algorithm, _expected) = (algorithm, expected);

    /// <param name="field">An algorithm's name, a space, and the checksum in Base64.</param>
    /// <param name="checksum">Null where there is no field.</param>
    /// <returns>False where it cannot be understood.</returns>
    public static bool TryParse(string field, out UploadChecksum? checksum)
    {
        checksum = null;
        if (field.Length == 0)
        {
            return true;
        }

        var parts = field.Split(' ');
        var (algorithm, length) = parts[0] switch
        {
            "sha1" => (HashAlgorithmName.SHA1, SHA1.HashSizeInBytes),
            "sha256" => (HashAlgorithmName.SHA256, SHA256.HashSizeInBytes),
            _ => (default, 0),
        };
        var expected = new byte[SHA256.HashSizeInBytes];
        if (length == 0 || parts.Length != 2 || !Convert.TryFromBase64String(parts[1], expected, out var written) || written != length)
        {
            return false;
        }

        checksum = new(algorithm, expected[..length]);
        return true;
    }

    public IncrementalHash Begin() => IncrementalHash.CreateHash(_algorithm);

    public bool Matches(IncrementalHash hash) => hash.GetCurrentHash().AsSpan().SequenceEqual(_expected);
}
