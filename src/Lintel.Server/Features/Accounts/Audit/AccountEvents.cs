namespace Lintel.Features.Accounts.Audit;

/// <summary>What can happen to an account: the kinds of events in its activity and in the audit. <c>docs/guide/activity.md</c> lists them.</summary>
internal static class AccountEvents
{
    public const string Registered = "account.registered";
    public const string SignedIn = "session.opened";
    public const string SessionEnded = "session.ended";
    public const string SigningKeysRotated = "signing_keys.rotated";
}
