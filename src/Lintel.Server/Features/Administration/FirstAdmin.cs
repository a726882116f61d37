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
public sealed record CreateAdmin([property: Required] string Email, string? Password = null, string? Name = null);

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

        if (await database.WriteAsync(unit => CreateAsync(unit, email, name, hash), CancellationToken.None) is not { } admin)
        {
            return ApiErrors.Invalid("password", "There is no account with this e-mail address, so a new one needs a password.");
        }

        if (admin.Created)
        {
            log.Registered(admin.Id);
        }

        return TypedResults.Ok(admin);
    }

    private async ValueTask<CreatedAdmin?> CreateAsync(DbSession unit, string email, string? name, string? hash)
    {
        var now = time.GetUtcNow();
        if (hash is not null && await AddAsync(unit, email, name, hash, now) is var added and not 0)
        {
            await audit.AddAsync(unit, added, AccountEvents.AdminCreated, Actor.System, new() { ["made"] = true });
            return new(added, email, true, false);
        }

        // The password's own version moves with it, so that nobody who just checked the old one comes in.
        var (id, known) = await unit.QueryFirstAsync(
            """
            UPDATE account SET role = 'admin', is_active = TRUE,
                password_hash = CASE WHEN $2 = '' THEN password_hash ELSE $2 END, password_version = password_version + CASE WHEN $2 = '' THEN 0 ELSE 1 END
            WHERE email_normalized = $1 AND deleted_at IS NULL RETURNING id, email
            """,
            static row => (row.GetInt64(0), row.GetString(1)),
            EmailAddress.Normalize(email),
            hash ?? "");
        if (id == 0)
        {
            return null;
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
        return new(id, known, false, hash is not null);
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
