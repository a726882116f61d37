using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace Lintel.Features.Accounts.Keys;

/// <summary>
/// A key that tells whose a signature is, with the algorithms that it is for: the header of a token only says which of them was used, and can't make a public key into a secret.
/// </summary>
internal sealed class VerificationKey
{
    // Shorter RSA keys are within reach of those who would forge.
    private const int MinRsaBytes = 256;

    private readonly string[] _algorithms;
    private readonly Func<string, byte[], byte[], bool> _verify;

    private VerificationKey(string? id, string[] algorithms, Func<string, byte[], byte[], bool> verify) => (Id, _algorithms, _verify) = (id, algorithms, verify);

    /// <summary>Its <c>kid</c>.</summary>
    public string? Id { get; }

    /// <summary>A secret, for HS256.</summary>
    public static VerificationKey OfSecret(byte[] secret, string? id = null) =>
        new(id, ["HS256"], (_, signed, signature) => CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, signed), signature));

    /// <summary>A public key on one of the curves of RFC 7518.</summary>
    /// <exception cref="CryptographicException">It is no point of its curve.</exception>
    public static VerificationKey OfCurve(ECParameters key, string algorithm, string? id)
    {
        var hash = HashOf(algorithm);
        var pool = new Pool<ECDsa>(() => ECDsa.Create(key));
        pool.Use(static ecdsa => ecdsa.KeySize);
        return new(id, [algorithm], (_, signed, signature) => pool.Use(ecdsa => ecdsa.VerifyData(signed, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
    }

    /// <summary>A key of a JSON Web Key Set (RFC 7517), public or secret.</summary>
    /// <returns>Null for one that is not for verifying signatures, or is of a kind that is not known here.</returns>
    public static VerificationKey? FromJson(JsonElement key)
    {
        try
        {
            return IsForVerifying(key)
                ? Text(key, "kty") switch
                {
                    "oct" when Text(key, "alg") == "HS256" => OfSecret(Bytes(key, "k"), Text(key, "kid")),
                    "EC" => OfCurve(key),
                    "RSA" => OfRsa(key),
                    _ => null,
                }
                : null;
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether the signature was made with this key.</summary>
    public bool Verify(JsonWebSignature jws)
    {
        if (!_algorithms.Contains(jws.Algorithm, StringComparer.Ordinal))
        {
            return false;
        }

        try
        {
            return _verify(jws.Algorithm, jws.Signed, jws.Signature);
        }
        catch (CryptographicException)
        {
            // A signature that is not even one of such a key.
            return false;
        }
    }

    private static VerificationKey? OfCurve(JsonElement key)
    {
        var (curve, algorithm) = Text(key, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, "ES256"),
            "P-384" => (ECCurve.NamedCurves.nistP384, "ES384"),
            "P-521" => (ECCurve.NamedCurves.nistP521, "ES512"),
            _ => default,
        };
        return algorithm is not null && (Text(key, "alg") ?? algorithm) == algorithm
            ? OfCurve(new ECParameters { Curve = curve, Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") } }, algorithm, Text(key, "kid"))
            : null;
    }

    private static VerificationKey? OfRsa(JsonElement key)
    {
        string[] known = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
        var algorithms = Text(key, "alg") is { } only ? known.Intersect([only], StringComparer.Ordinal).ToArray() : known;
        var parameters = new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") };
        if (algorithms.Length == 0 || parameters.Modulus.Length < MinRsaBytes)
        {
            return null;
        }

        var pool = new Pool<RSA>(() => RSA.Create(parameters));
        pool.Use(static rsa => rsa.KeySize);
        return new(
            Text(key, "kid"),
            algorithms,
            (algorithm, signed, signature) => pool.Use(rsa => rsa.VerifyData(
                signed, signature, HashOf(algorithm), algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)));
    }

    private static bool IsForVerifying(JsonElement key) =>
        key.ValueKind == JsonValueKind.Object
        && Text(key, "use") is null or "sig"
        && (!key.TryGetProperty("key_ops", out var operations) || operations.EnumerateArray().Any(static operation => operation.ValueEquals("verify")));

    private static HashAlgorithmName HashOf(string algorithm) => algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };

    private static string? Text(JsonElement key, string name) => key.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static byte[] Bytes(JsonElement key, string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString());

    /// <summary>The framework's keys are not for use by two threads at once; as many are made as threads ever verified at once.</summary>
    private sealed class Pool<T>(Func<T> create)
        where T : AsymmetricAlgorithm
    {
        private readonly ConcurrentBag<T> _idle = [];

        public TResult Use<TResult>(Func<T, TResult> use)
        {
            if (!_idle.TryTake(out var key))
            {
                key = create();
            }

            try
            {
                return use(key);
            }
            finally
            {
                _idle.Add(key);
            }
        }
    }
}
