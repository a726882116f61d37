using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>The test vectors of Web Authentication Level 3, section 16: values of the standard, under its own names.</summary>
internal sealed record WebAuthnVector(string Name, byte[] CredentialId, WebAuthnRegistration Registration, WebAuthnAuthentication Authentication)
{
    public JsonObject Created => Credential(new()
    {
        ["clientDataJSON"] = SoftPasskey.Text(Registration.ClientData),
        ["attestationObject"] = SoftPasskey.Text(Registration.AttestationObject),
    });

    /// <param name="tamper">Changes one bit of what was signed.</param>
    public JsonObject Signed(bool tamper)
    {
        var data = Authentication.AuthenticatorData.ToArray();
        data[^1] ^= (byte)(tamper ? 1 : 0);
        return Credential(new()
        {
            ["clientDataJSON"] = SoftPasskey.Text(Authentication.ClientData),
            ["authenticatorData"] = SoftPasskey.Text(data),
            ["signature"] = SoftPasskey.Text(Authentication.Signature),
        });
    }

    private JsonObject Credential(JsonObject response) => new()
    {
        ["id"] = SoftPasskey.Text(CredentialId),
        ["rawId"] = SoftPasskey.Text(CredentialId),
        ["type"] = "public-key",
        ["response"] = response,
        ["clientExtensionResults"] = new JsonObject(),
    };
}

internal sealed record WebAuthnRegistration(byte[] Challenge, byte[] ClientData, byte[] AttestationObject);

internal sealed record WebAuthnAuthentication(byte[] Challenge, byte[] AuthenticatorData, byte[] ClientData, byte[] Signature);

internal static class WebAuthnVectors
{
    private static readonly WebAuthnVector[] All = Read();

    public static string[] Names => [.. All.Select(static vector => vector.Name)];

    public static WebAuthnVector Find(string name) => All.Single(vector => vector.Name == name);

    private static WebAuthnVector[] Read()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "webauthn-vectors.json")));
        return
        [
            .. file.RootElement.EnumerateArray().Select(static item =>
            {
                var (registration, authentication) = (item.GetProperty("registration"), item.GetProperty("authentication"));
                return new WebAuthnVector(
                    item.GetProperty("name").GetString()!,
                    Bytes(item, "credential_id"),
                    new(Bytes(registration, "challenge"), Bytes(registration, "clientDataJSON"), Bytes(registration, "attestationObject")),
                    new(
                        Bytes(authentication, "challenge"),
                        Bytes(authentication, "authenticatorData"),
                        Bytes(authentication, "clientDataJSON"),
                        Bytes(authentication, "signature")));
            }),
        ];
    }

    private static byte[] Bytes(JsonElement item, string name) => Convert.FromHexString(item.GetProperty(name).GetString()!);
}
