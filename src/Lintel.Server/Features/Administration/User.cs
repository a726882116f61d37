using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration;

/// <summary>The states of an account.</summary>
internal static class UserStates
{
    public const string Active = "active";

    /// <summary>Its person cannot sign in until an administrator enables it.</summary>
    public const string Disabled = "disabled";

    /// <summary>It is nobody's any more, and what is left of it is being removed.</summary>
    public const string Deleting = "deleting";
}

/// <summary>An account with what administrators decide of it.</summary>
internal sealed record User(
    long Id, string Email, string? Name, bool IsActive, DateTimeOffset CreatedAt, string Role, DateTimeOffset? EmailVerifiedAt, DateTimeOffset? DeletedAt)
{
    public const string Columns = "id, email, name, is_active, created_at, role, email_verified_at, deleted_at";

    public string State => DeletedAt is not null ? UserStates.Deleting : IsActive ? UserStates.Active : UserStates.Disabled;

    /// <summary>Another one whenever an administrator sees something else.</summary>
    public string ETag
    {
        get
        {
            var facts = $"{Id}\n{Email}\n{Name}\n{State}\n{Role}\n{EmailVerifiedAt?.ToMicroseconds()}";
            return $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(facts)).AsSpan(0, 12))}\"";
        }
    }

    public static User Map(DbDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.GetNullableString(2),
        row.GetBoolean(3),
        row.GetInstant(4),
        row.GetString(5),
        row.GetNullableInstant(6),
        row.GetNullableInstant(7));
}

/// <summary>Which accounts are asked for.</summary>
/// <param name="Search">What their address begins with, or their name has in it.</param>
internal sealed record UserFilter(string? Search = null, string? Role = null, string? State = null);
