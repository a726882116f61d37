using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Configuration;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Keys;

/// <summary>The life of a key: published before it signs, and for a while after.</summary>
internal static class SigningKeyStates
{
    public const string Next = "next";
    public const string Active = "active";
    public const string Retired = "retired";
}

/// <summary>A row of the table. Without <c>SECRET_KEY</c> nobody can read it, nor make one that the server would take for its own.</summary>
internal sealed record SealedKey(string Id, string State, byte[] Sealed, DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt);

/// <summary>A key on P-256 that signs access tokens (ES256). Its id is its thumbprint (RFC 7638).</summary>
internal sealed class SigningKey
{
    public const string Algorithm = "ES256";
    public const int SignatureLength = 64;

    private const string Purpose = "lintel signing key v1";

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
    public byte[] Seal(SecretKey secret)
    {
        var plain = _key.ExportPkcs8PrivateKey();
        var kept = SealOf(secret).Seal(plain, Encoding.ASCII.GetBytes(Id));
        CryptographicOperations.ZeroMemory(plain);
        return kept;
    }

    /// <returns>Null for a row that was not sealed under this secret, or the one before it.</returns>
    public static SigningKey? Open(SealedKey row, SecretKey secret)
    {
        if (SealOf(secret).Open(row.Sealed, Encoding.ASCII.GetBytes(row.Id)) is not { } plain)
        {
            return null;
        }

        var key = ECDsa.Create();
        try
        {
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

    /// <summary>Whether a row was sealed under the secret of before, and is to be sealed anew.</summary>
    public static bool IsSealedUnderFormer(SealedKey row, SecretKey secret)
    {
        var plain = SealOf(secret).OpenFormer(row.Sealed, Encoding.ASCII.GetBytes(row.Id));
        CryptographicOperations.ZeroMemory(plain);
        return plain is not null;
    }

    private static SecretSeal SealOf(SecretKey secret) => new(secret, Purpose);
}
