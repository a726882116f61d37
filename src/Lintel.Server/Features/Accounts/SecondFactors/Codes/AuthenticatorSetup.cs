using Lintel.Platform.Configuration;
using QRCoder;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

/// <summary>A secret in the forms in which an authenticator app takes it.</summary>
internal sealed class AuthenticatorSetup(ServerOptions server)
{
    private const int PixelsPerModule = 4;

    public StartedTotp Describe(string email, byte[] secret)
    {
        var text = OneTimeCode.Show(secret);

        // The key URI that apps agree on. The label says the issuer too, for those that know no parameter of that name.
        var issuer = Uri.EscapeDataString(server.AppName.Replace(':', ' '));
        var uri = $"otpauth://totp/{issuer}:{Uri.EscapeDataString(email)}?secret={text}&issuer={issuer}&algorithm=SHA1&digits=6&period=30";
        using var code = QRCodeGenerator.GenerateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        using var image = new SvgQRCode(code);
        return new(text, uri, image.GetGraphic(PixelsPerModule));
    }
}
