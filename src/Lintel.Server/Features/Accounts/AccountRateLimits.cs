using Lintel.Platform.Configuration;
using Lintel.Platform.RateLimits;

namespace Lintel.Features.Accounts;

/// <summary>The limits of those who have no account or try somebody's: by address, whatever credentials they send along.</summary>
internal sealed class AccountRateLimits(RateLimitOptions options)
{
    /// <summary>Failed sign-ins, under both prefixes together.</summary>
    public RateLimitPolicy SignIn { get; } = new("sign-in", options.SignIn, options.Window) { CountsAddresses = true };

    /// <summary>Answers to challenges that were wrong, and sign-ins with a passkey.</summary>
    public RateLimitPolicy SecondFactor { get; } = new("second-factor", options.SignIn, options.Window) { CountsAddresses = true };

    /// <summary>New accounts, and tries to make one.</summary>
    public RateLimitPolicy Register { get; } = new("register", options.Register, TimeSpan.FromHours(1)) { CountsAddresses = true };

    /// <summary>Requests for mail, to whomever. How much one mailbox gets is bounded besides.</summary>
    public RateLimitPolicy Email { get; } = new("email", options.Email, TimeSpan.FromHours(1)) { CountsAddresses = true };
}
