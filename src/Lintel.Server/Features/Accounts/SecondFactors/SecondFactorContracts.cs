using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>The answer to a challenge, in one of the ways that the challenge names.</summary>
/// <param name="Challenge">The <c>details.challenge</c> of the 401 with the code <c>AUTH_2FA_REQUIRED</c>.</param>
/// <param name="Code">Six digits of the authenticator app.</param>
/// <param name="RecoveryCode">One of the recovery codes; it is used up.</param>
/// <param name="Passkey">What the browser answered to the options of <c>POST /auth/2fa/passkey</c>: <c>PublicKeyCredential.toJSON()</c>.</param>
/// <param name="Password">Only where the challenge asks for it: of an account without a second factor.</param>
/// <param name="RememberDevice">At a sign-in: true brings a <c>device_token</c>, with which the next one on this device needs no second factor for 30 days.</param>
/// <example>{"challenge":"4Fq0Yv…","code":"492039","remember_device":false}</example>
public sealed record ChallengeAnswer(
    [property: Required] string Challenge,
    [property: StringLength(20)] string? Code = null,
    [property: StringLength(40)] string? RecoveryCode = null,
    JsonElement? Passkey = null,
    [property: StringLength(128)] string? Password = null,
    bool RememberDevice = false);

/// <summary>What an account has for second factors.</summary>
/// <param name="Enabled">True where a sign-in with the password needs a second factor.</param>
/// <param name="Totp">True where an authenticator app is one.</param>
/// <param name="Passkeys">How many passkeys there are.</param>
/// <param name="RecoveryCodesLeft">How many recovery codes are not used yet.</param>
/// <example>{"enabled":true,"totp":true,"passkeys":1,"recovery_codes_left":10}</example>
public sealed record SecondFactorsView(bool Enabled, bool Totp, long Passkeys, long RecoveryCodesLeft);

/// <summary>The secret for an authenticator app. It counts once a first code was confirmed, within an hour.</summary>
/// <param name="Secret">For typing, in base32.</param>
/// <param name="OtpauthUri">The same for an app on this device.</param>
/// <param name="QrSvg">The same for a camera, as an SVG image.</param>
/// <example>{"secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP","otpauth_uri":"otpauth://totp/Lintel:mason%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&amp;issuer=Lintel&amp;algorithm=SHA1&amp;digits=6&amp;period=30","qr_svg":"&lt;svg …"}</example>
public sealed record StartedTotp([property: Required] string Secret, [property: Required] string OtpauthUri, [property: Required] string QrSvg);

/// <summary>A first code of the authenticator app.</summary>
/// <param name="Code">Six digits.</param>
/// <example>{"code":"492039"}</example>
public sealed record ConfirmTotp([property: Required, StringLength(20)] string Code);

/// <summary>A factor was added.</summary>
/// <param name="RecoveryCodes">With the first factor come recovery codes, in this answer only; null otherwise.</param>
/// <example>{"recovery_codes":["k3vqx-7m2pd","09tzr-w4ecn"]}</example>
public sealed record FactorAdded(IReadOnlyList<string>? RecoveryCodes);

/// <summary>New recovery codes, in this answer only. The former ones are worthless.</summary>
/// <param name="Codes">Each is good once.</param>
/// <example>{"recovery_codes":["k3vqx-7m2pd","09tzr-w4ecn"]}</example>
public sealed record RecoveryCodeList([property: Required, JsonPropertyName("recovery_codes")] IReadOnlyList<string> Codes);

/// <summary>A challenge that a passkey is to answer.</summary>
/// <param name="Challenge">The <c>details.challenge</c> of the 401.</param>
/// <example>{"challenge":"4Fq0Yv…"}</example>
public sealed record PasskeyChallenge([property: Required] string Challenge);

/// <summary>What to ask the browser.</summary>
/// <param name="Challenge">Goes back with the browser's answer.</param>
/// <param name="PublicKey">For <c>PublicKeyCredential.parseCreationOptionsFromJSON()</c> or <c>parseRequestOptionsFromJSON()</c>, then <c>navigator.credentials.create()</c> or <c>get()</c>.</param>
/// <param name="ExpiresIn">How long the challenge can be answered, in seconds.</param>
public sealed record PasskeyOptions([property: Required] string Challenge, JsonElement PublicKey, long ExpiresIn);

/// <summary>A passkey to be added.</summary>
/// <param name="Challenge">That of the options.</param>
/// <param name="Name">To tell it from others, 1 to 100 characters.</param>
/// <param name="Passkey">What the browser answered: <c>PublicKeyCredential.toJSON()</c>.</param>
/// <example>{"challenge":"4Fq0Yv…","name":"Work laptop","passkey":{"id":"…","rawId":"…","type":"public-key","response":{"clientDataJSON":"…","attestationObject":"…"},"clientExtensionResults":{}}}</example>
public sealed record AddPasskey([property: Required] string Challenge, [property: Required, StringLength(100, MinimumLength = 1)] string Name, JsonElement Passkey);

/// <summary>A sign-in with a passkey alone.</summary>
/// <param name="Challenge">That of the options.</param>
/// <param name="Passkey">What the browser answered: <c>PublicKeyCredential.toJSON()</c>.</param>
public sealed record PasskeySignInRequest([property: Required] string Challenge, JsonElement Passkey);

/// <summary>Another name for a passkey.</summary>
/// <param name="Name">1 to 100 characters.</param>
/// <example>{"name":"Old laptop"}</example>
public sealed record RenamePasskey([property: Required, StringLength(100, MinimumLength = 1)] string Name);

/// <summary>A passkey, as its owner sees it.</summary>
/// <param name="Id">Names it in routes.</param>
/// <param name="Name">As its owner calls it.</param>
/// <param name="CreatedAt">When it was added.</param>
/// <param name="LastUsedAt">When it was used last; null where it never was.</param>
/// <param name="IsSynced">True where it is not on one device alone.</param>
/// <param name="Transports">How a browser reaches it, as the browser said.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","name":"Work laptop","created_at":"2026-01-31T12:00:00.123456Z","last_used_at":null,"is_synced":false,"transports":["internal"]}</example>
public sealed record PasskeyView(
    Guid Id, [property: Required] string Name, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, bool IsSynced, [property: Required] IReadOnlyList<string> Transports);

/// <summary>A passkey was added.</summary>
/// <param name="Passkey">The passkey.</param>
/// <param name="RecoveryCodes">With the first factor come recovery codes, in this answer only; null otherwise.</param>
public sealed record AddedPasskey([property: Required] PasskeyView Passkey, IReadOnlyList<string>? RecoveryCodes);

/// <summary>A person's passkeys, oldest first.</summary>
/// <param name="Passkeys">At most 20.</param>
/// <param name="Next">Always null: there is one page.</param>
public sealed record PasskeyList([property: Required] IReadOnlyList<PasskeyView> Passkeys, string? Next);

/// <summary>A device on which the password is enough.</summary>
/// <param name="Id">Names it in routes.</param>
/// <param name="UserAgent">The program that signed in on it last, as it calls itself.</param>
/// <param name="Address">Where from.</param>
/// <param name="CreatedAt">When it was remembered.</param>
/// <param name="LastUsedAt">When somebody signed in on it last.</param>
/// <param name="ExpiresAt">When it is forgotten.</param>
/// <param name="Current">True for the device that this session was opened on.</param>
/// <example>{"id":"019b3c4e-7a10-7c1e-9d3f-2f6a5b8c9d01","user_agent":"curl/8.5.0","address":"203.0.113.7","created_at":"2026-01-31T12:00:00.123456Z","last_used_at":"2026-01-31T12:00:00.123456Z","expires_at":"2026-03-02T12:00:00.123456Z","current":true}</example>
public sealed record DeviceView(
    Guid Id, string? UserAgent, string? Address, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, bool Current);

/// <summary>The devices that need no second factor, the one that was remembered last first.</summary>
/// <param name="Devices">At most 20.</param>
/// <param name="Next">Always null: there is one page.</param>
public sealed record DeviceList([property: Required] IReadOnlyList<DeviceView> Devices, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AddPasskey))]
[JsonSerializable(typeof(AddedPasskey))]
[JsonSerializable(typeof(ChallengeAnswer))]
[JsonSerializable(typeof(ConfirmTotp))]
[JsonSerializable(typeof(DeviceList))]
[JsonSerializable(typeof(FactorAdded))]
[JsonSerializable(typeof(PasskeyChallenge))]
[JsonSerializable(typeof(PasskeyList))]
[JsonSerializable(typeof(PasskeyOptions))]
[JsonSerializable(typeof(PasskeySignInRequest))]
[JsonSerializable(typeof(PasskeyView))]
[JsonSerializable(typeof(RecoveryCodeList))]
[JsonSerializable(typeof(RenamePasskey))]
[JsonSerializable(typeof(SecondFactorsView))]
[JsonSerializable(typeof(StartedTotp))]
internal sealed partial class SecondFactorsJson : JsonSerializerContext;
