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
}
