using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Keys;

/// <summary>The life of a key: published before it signs, and for a while after.</summary>
internal static class SigningKeyStates
{
    public const string Next = "next";
    public const string Active = "active";
    public const string Retired = "retired";
}

/// <summary>A row of the table. Without <c>SECRET_KEY</c> nobody can read it, nor make one that the server would take for its own.</summary>
internal sealed record SealedKey(string Id, string State, byte[] Salt, byte[] Sealed, DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt);

/// <summary>A key on P-256 that signs access tokens (ES256). Its id is its thumbprint (RFC 7638).</summary>
internal sealed class SigningKey
{
    public const string Algorithm = "ES256";
    public const int SignatureLength = 64;

    private const string Purpose = "lintel signing key v1 ";
    private const int SaltLength = 32;
    private const int NonceLength = 12;
    private const int TagLength = 16;

    private readonly Lock _gate = new();
    private readonly ECDsa _key;

    private SigningKey(ECDsa key, SealedKey? row = null)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        _key = key;
        X = Base64Url.EncodeToString(parameters.Q.X);
        Y = Base64Url.EncodeToString(parameters.Q.Y);
        Id = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}""")));
        Verification = VerificationKey.OfCurve(parameters, Algorithm, Id);
        State = row?.State ?? "";
        CreatedAt = row?.CreatedAt ?? default;
        ActivatedAt = row?.ActivatedAt;
        RetiredAt = row?.RetiredAt;
        Header = Encoding.ASCII.GetBytes(Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{Id}}"}""")));
    }

    public string Id { get; }

    public string X { get; }

    public string Y { get; }

    public string State { get; }

    public DateTimeOffset CreatedAt { get; }

    public DateTimeOffset? ActivatedAt { get; }

    public DateTimeOffset? RetiredAt { get; }

    public VerificationKey Verification { get; }

    /// <summary>The header of what it signs, encoded.</summary>
    public byte[] Header { get; }

    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Signs as RFC 7518 has it: both numbers of the signature beside each other, 64 bytes.</summary>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        lock (_gate)
        {
            _key.TrySignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out _);
        }
    }

    /// <summary>The key as it is stored: encrypted, and bound to its id.</summary>
    public (byte[] Salt, byte[] Sealed) Seal(SecretKey secret)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        var plain = _key.ExportPkcs8PrivateKey();
        var sealedKey = new byte[NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(sealedKey.AsSpan(0, NonceLength));
        using var aes = new AesGcm(secret.Derive(Purpose + Id, salt, 32), TagLength);
        aes.Encrypt(
            sealedKey.AsSpan(0, NonceLength), plain, sealedKey.AsSpan(NonceLength, plain.Length), sealedKey.AsSpan(NonceLength + plain.Length), Encoding.ASCII.GetBytes(Id));
        CryptographicOperations.ZeroMemory(plain);
        return (salt, sealedKey);
    }

    /// <returns>Null for a row that was not sealed under this secret.</returns>
    public static SigningKey? Open(SealedKey row, SecretKey secret)
    {
        var length = row.Sealed.Length - NonceLength - TagLength;
        if (length <= 0)
        {
            return null;
        }

        var plain = new byte[length];
        var key = ECDsa.Create();
        try
        {
            using var aes = new AesGcm(secret.Derive(Purpose + row.Id, row.Salt, 32), TagLength);
            aes.Decrypt(row.Sealed.AsSpan(0, NonceLength), row.Sealed.AsSpan(NonceLength, length), row.Sealed.AsSpan(NonceLength + length), plain, Encoding.ASCII.GetBytes(row.Id));
            key.ImportPkcs8PrivateKey(plain, out _);
            return new(key, row);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
