namespace Lintel.Features.Accounts.Sessions;

/// <summary>With what a session is opened.</summary>
/// <param name="Methods">How the person proved who they are: words of <see cref="AuthMethods"/>, between spaces.</param>
/// <param name="NewHash">Takes the place of the password's hash, where it is given.</param>
internal sealed record SessionOpening(string Methods, ClientInfo Client, string? NewHash = null)
{
    /// <summary>The token of a device that is to be remembered, where the client sent one: with it a second factor is not asked for.</summary>
    public string? DeviceToken { get; init; }

    /// <summary>Whether to remember the device, where the account has no second factor.</summary>
    public bool RememberDevice { get; init; }

    /// <summary>Which second factors the account had when it was found out that these proofs are enough: nothing is opened when they have changed since. Null where that was not asked.</summary>
    public long? FactorVersion { get; init; }
}

/// <summary>Ways to prove who one is. They stand in the session's row.</summary>
internal static class AuthMethods
{
    public const string Password = "pwd";
    public const string EmailCode = "email";
    public const string Totp = "totp";
    public const string RecoveryCode = "recovery";
    public const string Passkey = "passkey";

    /// <summary>Another provider said so.</summary>
    public const string Federated = "fed";

    /// <summary>Whether one of them is a second factor, or as good as one: a passkey alone is both, since it verifies its person.</summary>
    public static bool HaveSecondFactor(string methods) => methods.Split(' ').Any(static method => method is Totp or RecoveryCode or Passkey);
}
