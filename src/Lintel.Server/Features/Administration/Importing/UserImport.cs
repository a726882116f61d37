using System.Globalization;
using Lintel.Features.Accounts;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Passwords;
using Lintel.Platform.Storage;

namespace Lintel.Features.Administration.Importing;

/// <summary>Takes accounts over from another system. An address that has one is told and left alone, so the same import may be made again.</summary>
internal sealed class UserImport(Database database, AccountAudit audit, PasswordHashing passwords, ImportedPasswords imported, TimeProvider time)
{
    private const int MaxName = 100;
    private const string Exists = "exists";
    private const string Refused = "refused";

    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    public async Task<ImportedUsers> RunAsync(ImportUsers request, Actor by, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var rows = request.Users.Select((user, i) => Read(user, i, now)).ToArray();
        var problems = request.DryRun
            ? await database.ReadAsync(session => LookAsync(session, rows), cancellationToken)
            : await database.WriteAsync(session => AddAsync(session, rows, by), cancellationToken);
        if (!request.DryRun)
        {
            // At once on this node; others look once a minute.
            Array.ForEach(rows, row => imported.Raise(Bcrypt.IsHash(row.PasswordHash) && row.Problem is null ? Bcrypt.CostOf(row.PasswordHash!) : 0));
        }

        var refused = problems.Count(static problem => problem.Status == Refused);
        return new(rows.Length - problems.Count, problems.Count - refused, refused, Bcrypt.IsAvailable, problems);
    }

    private async ValueTask<List<ImportProblem>> AddAsync(DbSession unit, Row[] rows, Actor by)
    {
        var problems = new List<ImportProblem>();

        // In the order of their addresses, which every import has: two at once cannot wait for each other.
        foreach (var row in rows.OrderBy(static row => row.Normalized, StringComparer.Ordinal))
        {
            if (row.Problem is not null)
            {
                problems.Add(new(row.Index, Refused, row.Problem));
                continue;
            }

            var id = await unit.QueryFirstAsync(
                """
                INSERT INTO account (email, email_normalized, name, password_hash, created_at, is_active, role, email_verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (email_normalized) DO NOTHING
                RETURNING id
                """,
                static found => found.GetInt64(0),
                row.Email,
                row.Normalized,
                row.Name,
                row.PasswordHash ?? passwords.NoOnesHash(),
                row.CreatedAt.ToMicroseconds(),
                row.IsActive,
                row.Role,
                row.IsVerified ? row.CreatedAt.ToMicroseconds() : null);
            if (id == 0)
            {
                problems.Add(Existing(row));
            }
            else
            {
                await audit.AddAsync(unit, id, AccountEvents.Imported, by, new() { ["password"] = row.PasswordHash is not null, ["role"] = row.Role });
            }
        }

        problems.Sort(static (one, other) => one.Index.CompareTo(other.Index));
        return problems;
    }

    private static async ValueTask<List<ImportProblem>> LookAsync(DbSession session, Row[] rows)
    {
        var problems = new List<ImportProblem>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row.Problem is not null)
            {
                problems.Add(new(row.Index, Refused, row.Problem));
            }
            else if (!seen.Add(row.Normalized)
                || await session.QueryFirstAsync("SELECT id FROM account WHERE email_normalized = $1", static found => found.GetInt64(0), row.Normalized) != 0)
            {
                problems.Add(Existing(row));
            }
        }

        return problems;
    }

    private static ImportProblem Existing(Row row) => new(row.Index, Exists, "There is an account with this e-mail address; it was left as it is.");

    private static Row Read(ImportUser? user, int index, DateTimeOffset now)
    {
        var email = (user?.Email ?? "").Trim();
        var name = user?.Name?.Trim() is { Length: > 0 } given ? given : null;
        var hash = user?.PasswordHash?.Trim() is { Length: > 0 } text ? text : null;
        var createdAt = now;
        string? problem = null;
        if (!EmailAddress.IsValid(email))
        {
            problem = "The e-mail address is none.";
        }
        else if (name is not null && (name.EnumerateRunes().Count() > MaxName || name.Any(char.IsControl)))
        {
            problem = string.Create(CultureInfo.InvariantCulture, $"The name must have at most {MaxName} characters, and no control characters.");
        }
        else if (hash is not null && !Bcrypt.IsHash(hash))
        {
            problem = "The password hash is no bcrypt hash ($2a$, $2b$ or $2y$).";
        }
        else if (hash is not null && Bcrypt.CostOf(hash) is < Bcrypt.LeastCost or > Bcrypt.MostCost)
        {
            problem = $"The password hash must have a cost from {Bcrypt.LeastCost} to {Bcrypt.MostCost}.";
        }
        else if (user!.Role is not (null or AccountRoles.User or AccountRoles.Admin))
        {
            problem = "The role must be user or admin.";
        }
        else if (user.CreatedAt is { Length: > 0 } moment
            && (!DateTimeOffset.TryParse(moment, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out createdAt)
                || createdAt < DateTimeOffset.UnixEpoch || createdAt > now + ClockTolerance))
        {
            problem = "The time of its making must be an ISO 8601 time in the past.";
        }

        return new(
            index, email, EmailAddress.Normalize(email), name, hash, createdAt, user?.IsActive ?? true, user?.EmailVerified ?? false, user?.Role ?? AccountRoles.User, problem);
    }

    private sealed record Row(
        int Index, string Email, string Normalized, string? Name, string? PasswordHash, DateTimeOffset CreatedAt, bool IsActive, bool IsVerified, string Role, string? Problem);
}
