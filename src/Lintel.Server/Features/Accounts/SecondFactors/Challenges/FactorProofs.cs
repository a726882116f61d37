using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.SecondFactors.Codes;
using Lintel.Features.Accounts.SecondFactors.Passkeys;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors.Challenges;

/// <summary>A proof of which was found out what needs no transaction.</summary>
/// <param name="Signed">The passkey that signed, if it is one.</param>
/// <param name="IsPassword">True where it is the right password.</param>
/// <param name="IsBusy">True where nothing was found out: too many passwords wait to be hashed.</param>
internal sealed record PreparedProof(Proof Proof, SignedPasskey? Signed = null, bool IsPassword = false, bool IsBusy = false)
{
    /// <summary>The method, in the words of a session's row.</summary>
    public string AuthMethod => Proof.Method switch
    {
        ChallengeMethods.Totp => AuthMethods.Totp,
        ChallengeMethods.RecoveryCode => AuthMethods.RecoveryCode,
        ChallengeMethods.Passkey => AuthMethods.Passkey,
        _ => AuthMethods.Password,
    };
}

/// <summary>Whether what somebody shows is what their account has.</summary>
internal sealed class FactorProofs(
    TotpTable totp, RecoveryCodes recoveryCodes, PasskeyTable passkeys, PasskeyCeremonies ceremonies, PasswordHashing passwords, FactorNews news, TimeProvider time)
{
    /// <summary>What takes long, or is read only: signatures and hashes.</summary>
    public async Task<PreparedProof> PrepareAsync(HttpContext context, FactorChallenge challenge, AccountSecrets account, Proof proof, ClientInfo client)
    {
        switch (proof.Method)
        {
            case ChallengeMethods.Passkey:
                var signed = challenge.PasskeyState is { } state ? await ceremonies.VerifyAsync(context, proof.Passkey, state, account.Id) : null;
                return new(proof, signed);
            case ChallengeMethods.Password:
                var check = await passwords.CheckAsync(account.PasswordHash, proof.Text, client.Address ?? "", CancellationToken.None);
                return new(proof, IsPassword: check.Verdict == PasswordVerdict.Right, IsBusy: check.Verdict == PasswordVerdict.Busy);
            default:
                return new(proof);
        }
    }

    /// <summary>Uses the proof up. False where it proves nothing, or not any more.</summary>
    public async ValueTask<bool> UseAsync(DbSession unit, long accountId, PreparedProof prepared, Actor by)
    {
        var text = prepared.Proof.Text;
        switch (prepared.Proof.Method)
        {
            case ChallengeMethods.Totp:
                return OneTimeCode.Normalize(text) is { } code && await totp.UseAsync(unit, accountId, code, time.GetUtcNow());
            case ChallengeMethods.RecoveryCode:
                if (RecoveryCodes.Normalize(text) is not { } recoveryCode || !await recoveryCodes.UseAsync(unit, accountId, recoveryCode))
                {
                    return false;
                }

                await news.RecoveryCodeUsedAsync(unit, accountId, by, (await FactorTable.FindAsync(unit, accountId))!.RecoveryCodes);
                return true;
            case ChallengeMethods.Passkey:
                return prepared.Signed is { } signed && await passkeys.UseAsync(unit, accountId, signed.Passkey);
            default:
                return prepared.IsPassword;
        }
    }
}
