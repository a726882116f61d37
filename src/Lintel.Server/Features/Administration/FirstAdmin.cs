using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.External;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.Revocation;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Administration;

/// <summary>Makes an administrator, by whoever has the server's machine.</summary>
/// <param name="Email">Of somebody who has an account, or of one to be made.</param>
/// <param name="Password">Of an account to be made; of one that there is, the password that takes the place of its own.</param>
/// <param name="Name">What a new account's person wants to be called.</param>
/// <param name="Force">Promotes also an account whose address was never confirmed, as it is: whoever registered it first becomes an administrator.</param>
public sealed record CreateAdmin([property: Required] string Email, string? Password = null, string? Name = null, bool Force = false);

/// <summary>Who is an administrator now.</summary>
/// <param name="Id">The account's number.</param>
/// <param name="Email">Its address.</param>
/// <param name="Created">Whether the account was made for that.</param>
/// <param name="PasswordReset">Whether its password is another one now.</param>
public sealed record CreatedAdmin(long Id, [property: Required] string Email, bool Created, bool PasswordReset);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CreateAdmin))]
[JsonSerializable(typeof(CreatedAdmin))]
internal sealed partial class FirstAdminJson : JsonSerializerContext;

/// <summary>
/// The first administrator, and the one who helps when all others are lost. Only who has the server's own files reaches this; whoever does could write to the database as well.
/// </summary>
internal sealed class FirstAdmin(Database database, PasswordRules rules, PasswordHashing passwords, AccountAccess access, ExternalIdentityTable identities, AccountAudit audit, AccountLog log, TimeProvider time)
{
    private const string Client = "the server's machine";

    private const string Unconfirmed =
        "The address of this account was never confirmed, so whoever registered it may be somebody else. Give the account another password (--reset-password), which ends all that was set up "
        + "there before; or add --force if you know whose account it is.";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/local/admins", static (CreateAdmin request, FirstAdmin admins) => admins.CreateAsync(request)).RequireLocalSocket().ExcludeFromDescription();

    private async Task<Results<Ok<CreatedAdmin>, ErrorResult>> CreateAsync(CreateAdmin request)
    {
        // Once begun it ends: a command that was interrupted is given again.
        var email = (request.Email ?? "").Trim();
        var name = request.Name?.Trim() is { Length: > 0 } given ? given : null;
        var passwordFault = request.Password is null ? null : await rules.FindFaultAsync(request.Password, [email, name], CancellationToken.None);
        if (Check(email, passwordFault, name) is { } invalid)
        {
            return invalid;
        }

        string? hash = null;
        if (request.Password is { } password && (hash = await passwords.HashAsync(password, Client, CancellationToken.None)) is null)
        {
            return ApiErrors.ServiceUnavailable("Too many people are signing in just now; try again shortly.", passwords.RetryAfter);
        }

        var (admin, isThere) = await database.WriteAsync(unit => CreateAsync(unit, email, name, hash, request.Force), CancellationToken.None);
        if (admin is null)
        {
            return isThere ? ApiErrors.Conflict(Unconfirmed) : ApiErrors.Invalid("password", "There is no account with this e-mail address, so a new one needs a password.");
        }

        if (admin.Created)
        {
            log.Registered(admin.Id);
        }

        return TypedResults.Ok(admin);
    }

    /// <returns>Null where nothing was done, and whether there is such an account.</returns>
    private async ValueTask<(CreatedAdmin? Admin, bool IsThere)> CreateAsync(DbSession unit, string email, string? name, string? hash, bool force)
    {
        var now = time.GetUtcNow();
        if (hash is not null && await AddAsync(unit, email, name, hash, now) is var added and not 0)
        {
            await audit.AddAsync(unit, added, AccountEvents.AdminCreated, Actor.System, new() { ["made"] = true });
            return (new(added, email, true, false), true);
        }

        // The password's own version moves with it, so that nobody who just checked the old one comes in. Who runs the server says whose address it is, as with a new account.
        var (id, known) = await unit.QueryFirstAsync(
            """
            UPDATE account SET role = 'admin', is_active = TRUE, email_verified_at = COALESCE(email_verified_at, $3),
                password_hash = CASE WHEN $2 = '' THEN password_hash ELSE $2 END, password_version = password_version + CASE WHEN $2 = '' THEN 0 ELSE 1 END
            WHERE email_normalized = $1 AND deleted_at IS NULL AND ($2 <> '' OR $4 = TRUE OR email_verified_at IS NOT NULL) RETURNING id, email
            """,
            static row => (row.GetInt64(0), row.GetString(1)),
            EmailAddress.Normalize(email),
            hash ?? "",
            now.ToMicroseconds(),
            force);
        if (id == 0)
        {
            return (null, await unit.QueryFirstAsync("SELECT 1 FROM account WHERE email_normalized = $1", static row => row.GetInt32(0), EmailAddress.Normalize(email)) == 1);
        }

        if (hash is not null)
        {
            // Whoever had the account until now, a stranger who registered the address first or a thief, comes in by nothing else either; and an owner who lost a factor needs none.
            await FactorTable.RemoveAllAsync(unit, id);
            await identities.ForgetAllAsync(unit, id, Actor.System);
            await access.EndSessionsAsync(unit, id, AccountAccess.PasswordReset, now, Actor.System);
            await access.RevokeKeysAsync(unit, id, Scopes.None, AccountAccess.PasswordReset, now, Actor.System);
        }

        await audit.AddAsync(unit, id, AccountEvents.AdminCreated, Actor.System, new() { ["made"] = false, ["password_reset"] = hash is not null });
        return (new(id, known, false, hash is not null), true);
    }

    private static async ValueTask<long> AddAsync(DbSession unit, string email, string? name, string hash, DateTimeOffset now) =>
        await unit.QueryFirstAsync(
            """
            INSERT INTO account (email, email_normalized, name, password_hash, created_at, role, email_verified_at) VALUES ($1, $2, $3, $4, $5, 'admin', $5)
            ON CONFLICT (email_normalized) DO NOTHING
            RETURNING id
            """,
            static row => row.GetInt64(0),
            email,
            EmailAddress.Normalize(email),
            name,
            hash,
            now.ToMicroseconds());

    private static ErrorResult? Check(string email, string? passwordFault, string? name)
    {
        var errors = default(FieldErrors);
        if (!EmailAddress.IsValid(email))
        {
            errors.Add("email", "Must be an e-mail address.");
        }

        if (passwordFault is not null)
        {
            errors.Add("password", passwordFault);
        }

        if (name is not null && (name.Length > 100 || name.Any(char.IsControl)))
        {
            errors.Add("name", "Must have 1 to 100 characters, and no control characters.");
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }
}
