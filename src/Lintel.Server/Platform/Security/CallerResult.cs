namespace Lintel.Platform.Security;

/// <summary>What became of a credential.</summary>
internal enum CredentialStatus
{
    Valid,
    Missing,
    Invalid,
    Expired,
    Revoked,

    /// <summary>Too many wrong ones came from there; this one was not looked at.</summary>
    Limited,
}

/// <summary>A credential's caller, or why there is none.</summary>
/// <param name="RetryAfter">When a <see cref="CredentialStatus.Limited"/> one may be sent again.</param>
internal readonly record struct CallerResult(CredentialStatus Status, Caller? Caller = null, TimeSpan RetryAfter = default)
{
    public static readonly CallerResult Missing = new(CredentialStatus.Missing);
    public static readonly CallerResult Invalid = new(CredentialStatus.Invalid);
    public static readonly CallerResult Expired = new(CredentialStatus.Expired);
    public static readonly CallerResult Revoked = new(CredentialStatus.Revoked);

    public static CallerResult Limited(TimeSpan retryAfter) => new(CredentialStatus.Limited, RetryAfter: retryAfter);

    public static CallerResult Valid(Caller caller) => new(CredentialStatus.Valid, caller);
}
