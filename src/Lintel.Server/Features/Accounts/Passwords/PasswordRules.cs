using System.Globalization;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>What a new password must be: long enough, and nothing that is tried first. There are no rules for its characters: they make passwords shorter and alike.</summary>
internal sealed class PasswordRules(CommonPasswords common, BreachedPasswords breached)
{
    private const int Least = 8;
    private const int Most = 128;

    /// <summary>Notes what is wrong with a new password.</summary>
    /// <param name="field">The field that it is in.</param>
    /// <param name="about">What is known of the person: a password must not be that.</param>
    public async ValueTask CheckAsync(RequestFields fields, string field, string password, IEnumerable<string?> about, CancellationToken cancellationToken)
    {
        if (await FindFaultAsync(password, about, cancellationToken) is { } fault)
        {
            fields.Refuse(field, fault);
        }
    }

    /// <returns>The rule that a new password breaks; null where it breaks none.</returns>
    public async ValueTask<string?> FindFaultAsync(string password, IEnumerable<string?> about, CancellationToken cancellationToken)
    {
        if (password.EnumerateRunes().Count() is < Least or > Most)
        {
            return string.Create(CultureInfo.InvariantCulture, $"Must have {Least} to {Most} characters.");
        }

        if (about.Any(word => IsAbout(password, word)))
        {
            return "Must not be your name or your e-mail address.";
        }

        if (IsOneCharacter(password) || common.Contains(password))
        {
            return "Must not be one of the passwords that are used most: those are tried first.";
        }

        return await breached.ContainsAsync(password, cancellationToken) ? "Must not be a password that is known from a leak." : null;
    }

    private static bool IsAbout(string password, string? word)
    {
        if (string.IsNullOrEmpty(word))
        {
            return false;
        }

        var given = password.Trim();
        return given.Equals(word, StringComparison.OrdinalIgnoreCase)
            || (word.IndexOf('@', StringComparison.Ordinal) is var at and > 0 && given.Equals(word[..at], StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsOneCharacter(string password) => password.EnumerateRunes().Distinct().Take(2).Count() == 1;
}
