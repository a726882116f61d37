using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Http;
using Lintel.Platform.Security;

namespace Lintel.Features.Accounts.Audit;

/// <summary>Who does something to an account, and from where. None of it is a secret.</summary>
/// <param name="AccountId">Theirs; null for the server itself, and for somebody who is not signed in.</param>
internal readonly record struct Actor(long? AccountId, Guid? SessionId = null, Guid? KeyId = null, ClientInfo Client = default)
{
    /// <summary>The server, by itself: housekeeping, or a command on its machine.</summary>
    public static readonly Actor System;

    /// <summary>The caller of a request.</summary>
    public static Actor Of(HttpContext context, Caller caller, ForwardedClient forwarded) =>
        new(caller.OwnerId, caller.SessionId, caller.KeyId, ClientInfo.Of(context, forwarded));
}
