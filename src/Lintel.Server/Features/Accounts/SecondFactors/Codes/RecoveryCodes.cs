using System.Globalization;
using System.Security.Cryptography;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Codes;

/// <summary>Ten codes for whoever lost the other factors. Each is shown once and good once.</summary>
internal sealed class RecoveryCodes(FactorSecrets secrets)
{
    public const int Count = 10;

    private const string Use = "recovery code";

    // Of Crockford's base 32, which has no letters that look like digits; fifty bits, and a counter that stops guesses long before.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 10;
    private const int Half = Length / 2;

    /// <summary>The code as it is kept: without hyphens and capitals, and with digits for the letters that look like them. Null where it can be none.</summary>
    public static string? Normalize(string code)
    {
        if (code.Length > 4 * Length)
        {
            return null;
        }

        var letters = string.Concat(code.ToLowerInvariant().Where(static letter => letter is not ('-' or ' '))).Replace('o', '0').Replace('i', '1').Replace('l', '1');
        return letters.Length == Length && letters.All(Alphabet.Contains) ? letters : null;
    }

    /// <summary>New codes in place of all that there were.</summary>
    public async ValueTask<IReadOnlyList<string>> ReplaceAsync(DbSession unit, long accountId)
    {
        await ForgetAsync(unit, accountId);
        var codes = new List<string>(Count);
        for (var i = 0; i < Count; i++)
        {
            var code = RandomNumberGenerator.GetString(Alphabet, Length);
            codes.Add($"{code[..Half]}-{code[Half..]}");
            await unit.ExecuteAsync("INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)", accountId, Hash(accountId, code));
        }

        return codes;
    }

    /// <summary>Uses up a code. Of the same one twice, however close together, one is taken.</summary>
    public async ValueTask<bool> UseAsync(DbSession unit, long accountId, string normalized) =>
        await unit.ExecuteAsync(
            "DELETE FROM recovery_code WHERE account_id = $1 AND hash IN ($2, $3)",
            accountId,
            Hash(accountId, normalized),
            secrets.PreviousHash(Use, Text(accountId, normalized))) == 1;

    public static async ValueTask ForgetAsync(DbSession unit, long accountId) => await unit.ExecuteAsync("DELETE FROM recovery_code WHERE account_id = $1", accountId);

    private byte[] Hash(long accountId, string normalized) => secrets.Hash(Use, Text(accountId, normalized));

    private static string Text(long accountId, string normalized) => string.Create(CultureInfo.InvariantCulture, $"{accountId}:{normalized}");
}
