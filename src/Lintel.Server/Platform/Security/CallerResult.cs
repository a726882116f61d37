namespace Lintel.Platform.Security;

/// <summary>What became of a credential.</summary>
internal enum CredentialStatus
{
    Valid,
    Missing,
    Invalid,
    Expired,
    Revoked,
}

/// <summary>A credential's caller, or why there is none.</summary>
internal readonly record struct CallerResult(CredentialStatus Status, Caller? Caller = null)
{
    public static readonly CallerResult Missing = new(CredentialStatus.Missing);
    public static readonly CallerResult Invalid = new(CredentialStatus.Invalid);
    public static readonly CallerResult Expired = new(CredentialStatus.Expired);
    public static readonly CallerResult Revoked = new(CredentialStatus.Revoked);

    public static CallerResult Valid(Caller caller) => new(CredentialStatus.Valid, caller);
}
