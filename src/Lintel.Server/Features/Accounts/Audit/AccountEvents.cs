namespace Lintel.Features.Accounts.Audit;

/// <summary>What can happen to an account: the kinds of events in its activity and in the audit. <c>docs/guide/activity.md</c> lists them.</summary>
internal static class AccountEvents
{
    public const string Registered = "account.registered";
    public const string SignedIn = "session.opened";
    public const string SessionEnded = "session.ended";

    // What administrators, and commands on the server's machine, do.
    public const string Disabled = "account.disabled";
    public const string Enabled = "account.enabled";
    public const string RoleChanged = "account.role_changed";
    public const string SignedOutByAdmin = "account.signed_out";
    public const string FactorsRemoved = "account.factors_removed";
    public const string AdminCreated = "account.admin_created";
    public const string Imported = "account.imported";
    public const string KeysRevoked = "keys.revoked";

    // A person's data as a whole.
    public const string DataExported = "data.exported";
    public const string DeletionBegan = "account.deletion_began";
    public const string Deleted = "account.deleted";

    // Other providers, and the server's own keys.
    public const string ProviderLinked = "provider.linked";
    public const string ProviderUnlinked = "provider.unlinked";
    public const string SigningKeysRotated = "signing_keys.rotated";

    // What is done by mail, and to passwords.
    public const string EmailVerified = "email.verified";
    public const string EmailChangeRequested = "email.change_requested";
    public const string EmailChangeCancelled = "email.change_cancelled";
    public const string EmailChanged = "email.changed";
    public const string EmailCodeRequested = "email.code_requested";
    public const string PasswordResetRequested = "password.reset_requested";
    public const string PasswordReset = "password.reset";
    public const string PasswordRemoved = "password.removed";
    public const string PasswordChanged = "password.changed";
    public const string SteppedUp = "session.stepped_up";
    public const string FactorAdded = "factor.added";
    public const string FactorRemoved = "factor.removed";
    public const string FactorRefused = "factor.refused";
    public const string RecoveryCodesMade = "recovery_codes.made";
    public const string RecoveryCodeUsed = "recovery_code.used";
    public const string DeviceRemembered = "device.remembered";
    public const string DeviceForgotten = "device.forgotten";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [.. typeof(AccountEvents).GetFields().Select(static field => (string)field.GetRawConstantValue()!)];
}
