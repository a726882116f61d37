using System.Globalization;
using Microsoft.AspNetCore.Identity;

namespace Lintel.Features.Accounts.SecondFactors.Passkeys;

/// <summary>An account, as the framework's passkeys know it: by its number, which is also the user handle that authenticators keep.</summary>
internal sealed record PasskeyOwner(long AccountId)
{
    public string Id => AccountId.ToString(CultureInfo.InvariantCulture);

    public static PasskeyOwner? Parse(string id) => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var accountId) ? new(accountId) : null;
}

/// <summary>
/// What the framework's passkeys read of accounts. They write nothing: a passkey is added or used in one transaction with the challenge that it answers, which is not the framework's
/// to know.
/// </summary>
internal sealed class PasskeyStore(PasskeyTable passkeys) : IUserPasskeyStore<PasskeyOwner>
{
    /// <summary>Whoever it is: without a passkey nothing comes of it.</summary>
    public Task<PasskeyOwner?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(PasskeyOwner.Parse(userId));

    public Task<string> GetUserIdAsync(PasskeyOwner user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(PasskeyOwner user, CancellationToken cancellationToken) =>
        await passkeys.ListInfosAsync(user.AccountId, cancellationToken);

    public async Task<PasskeyOwner?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.FindOwnerAsync(credentialId, cancellationToken) is { } accountId ? new(accountId) : null;

    public Task<UserPasskeyInfo?> FindPasskeyAsync(PasskeyOwner user, byte[] credentialId, CancellationToken cancellationToken) =>
        passkeys.FindInfoAsync(user.AccountId, credentialId, cancellationToken);

    public void Dispose()
    {
    }

    public Task AddOrUpdatePasskeyAsync(PasskeyOwner user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw NotHere();

    public Task RemovePasskeyAsync(PasskeyOwner user, byte[] credentialId, CancellationToken cancellationToken) => throw NotHere();

    public Task<IdentityResult> CreateAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw NotHere();

    public Task<IdentityResult> UpdateAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw NotHere();

    public Task<IdentityResult> DeleteAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw NotHere();

    public Task<PasskeyOwner?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw NotHere();

    public Task<string?> GetUserNameAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw NotHere();

    public Task<string?> GetNormalizedUserNameAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw NotHere();

    public Task SetUserNameAsync(PasskeyOwner user, string? userName, CancellationToken cancellationToken) => throw NotHere();

    public Task SetNormalizedUserNameAsync(PasskeyOwner user, string? normalizedName, CancellationToken cancellationToken) => throw NotHere();

    private static NotSupportedException NotHere() => new("Accounts are changed by their own feature alone.");
}
