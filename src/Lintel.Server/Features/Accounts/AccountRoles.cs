using Lintel.Platform.Security;

namespace Lintel.Features.Accounts;

/// <summary>What an account is to the server.</summary>
internal static class AccountRoles
{
    public const string User = "user";
    public const string Admin = "admin";

    /// <summary>What the tokens of such an account may do.</summary>
    public static Scopes ScopesOf(string role) => role == Admin ? Scopes.All : Scopes.Person;
}
