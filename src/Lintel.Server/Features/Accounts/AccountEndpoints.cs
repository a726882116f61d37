using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.Credentials;
using Lintel.Features.Accounts.Email;
using Lintel.Features.Accounts.External;
using Lintel.Features.Accounts.Keys;
using Lintel.Features.Accounts.Passwords;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.Sessions;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts;

internal static class AccountEndpoints
{
    private const string Tag = "Accounts";
    private const int MaxName = 100;
    private const int MaxPath = 1024;

    private static readonly Ok<LogoutAnswer> LoggedOut = TypedResults.Ok(new LogoutAnswer("Logged out successfully"));

    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        var auth = routes.MapGroup("/auth").WithTags(Tag).MaxBody(RequestFields.MaxBodyBytes);
        var limits = routes.ServiceProvider.GetRequiredService<AccountRateLimits>();
        MapBasics(auth, limits, "");
        auth.MapPost("refresh", RefreshAsync).WithName("Refresh").WithSummary("Exchange a refresh token for a new pair")
            .WithDescription(
                "The token that was sent is invalid from then on. Sent again within 10 seconds it brings the same pair once more, for clients that got no answer; "
                + "later it ends the session.")
            .Accepts<RefreshRequest>("application/json").ProducesErrors(401);
        auth.MapPost("logout", LogoutAsync).WithName("Logout").WithSummary("End the session of a refresh token")
            .WithDescription("The session's access tokens become invalid too, and its sockets close. Answers the same for a session that is over already.")
            .Accepts<RefreshRequest>("application/json").ProducesErrors(401);
        auth.MapPost("ws-ticket", CreateTicketAsync).WithName("CreateTicket").WithSummary("Get a ticket for one socket or event stream")
            .WithDescription("For browsers, which can send no headers there. Good once, for 30 seconds, for one path.")
            .Accepts<WsTicketRequest>("application/json").RequireCaller().RateLimited();
        routes.MapSessions();
        auth.MapEmail(limits);
        auth.MapPasswords(limits);

        routes.MapAudit();
        routes.MapExternal();
        routes.MapSigningKeys();
        routes.MapTokenStatus();
        routes.MapSecondFactors(limits);

        // The same operations under the prefix of older clients.
        MapBasics(routes.MapGroup("/api/auth").WithTags(Tag).MaxBody(RequestFields.MaxBodyBytes).Deprecated(), limits, "Older");
    }

    private static void MapBasics(RouteGroupBuilder auth, AccountRateLimits limits, string prefix)
    {
        auth.MapPost("register", RegisterAsync).WithName(prefix + "Register").WithSummary("Make an account")
            .WithDescription("A link that confirms the address is mailed to it; where EMAIL_VERIFICATION is required, a password signs nobody in before.")
            .Accepts<RegisterRequest>("application/json").ProducesErrors(403, 409).RateLimited(limits.Register)
            .DescribeResponse(201, "The account was made; sign in next.", ("Location", "`/auth/me`."));
        auth.MapPost("login", LoginAsync).WithName(prefix + "Login").WithSummary("Sign in with e-mail and password, as JSON or as an OAuth2 form")
            .WithDescription(
                "A wrong e-mail address and a wrong password are answered alike, and in the same time. For an account with a second factor the right password is "
                + "answered with 401 `AUTH_2FA_REQUIRED` and a challenge for `POST /auth/2fa`. Where an address must be confirmed first, the answer is 403. Only failures count against the rate limit.")
            .Accepts<LoginRequest>("application/json", "application/x-www-form-urlencoded", "multipart/form-data").DescribeForm(typeof(LoginForm))
            .DescribeHeader(RememberedDevices.Header, "The token of a device that is remembered: no second factor is asked for, and what strangers try elsewhere does not slow it down. JSON has `device_token` for it too.")
            .ProducesErrors(401, 403).RateLimited(limits.SignIn);
        auth.MapGet("me", GetMeAsync).WithName(prefix + "Me").WithSummary("Get your account").RequireCaller().ProducesErrors(403);
    }

    private static async Task<Results<Created<AccountView>, ErrorResult>> RegisterAsync(
        HttpContext context,
        AccountOptions options,
        PasswordRules rules,
        PasswordHashing passwords,
        SignInAnswers answers,
        AccountTable accounts,
        ForwardedClient forwarded,
        AccountLog log,
        TimeProvider time)
    {
        if (!options.IsRegistrationOpen)
        {
            return ApiErrors.Forbidden("Registration is closed on this server.");
        }

        var fields = await RequestFields.ReadJsonAsync(context);
        var email = fields.Required("email").Trim();
        var password = fields.Required("password");
        var name = fields.Optional("name")?.Trim() is { Length: > 0 } given ? given : null;
        Check(fields, email, name);
        await rules.CheckAsync(fields, "password", password, [email, name], context.RequestAborted);
        if (fields.Error is { } error)
        {
            return error;
        }

        if (await passwords.HashAsync(password, forwarded.AddressOf(context).ToString(), context.RequestAborted) is not { } hash)
        {
            return answers.Busy();
        }

        if (await accounts.AddAsync(email, name, hash, time.GetUtcNow(), ClientInfo.Of(context, forwarded), context.RequestAborted) is not { } account)
        {
            return ApiErrors.Conflict("There is an account with this e-mail address.");
        }

        log.Registered(account.Id);
        return TypedResults.Created("/auth/me", AccountView.From(account));
    }

    private static async Task<Results<Ok<TokenPair>, ErrorResult>> LoginAsync(
        HttpContext context, SignIn signIn, SignInAnswers answers, RateLimiting limits, ForwardedClient forwarded)
    {
        string email, password;
        RequestFields fields;
        if (context.Request.HasFormContentType)
        {
            fields = await RequestFields.ReadFormAsync(context);
            email = fields.Required("username");
            if (fields.Optional("grant_type") is not (null or "password"))
            {
                fields.Refuse("grant_type", "Must be password.");
            }
        }
        else
        {
            fields = await RequestFields.ReadJsonAsync(context);
            email = fields.Required("email");
        }

        password = fields.Required("password");
        var deviceToken = fields.Optional("device_token") ?? RememberedDevices.TokenOf(context);
        var rememberDevice = fields.Flag("remember_device");
        if (fields.Error is { } error)
        {
            return error;
        }

        var result = await signIn.RunAsync(email, password, deviceToken, rememberDevice, ClientInfo.Of(context, forwarded), context.RequestAborted);
        if (result.Status is SignInStatus.SignedIn or SignInStatus.SecondFactorRequired)
        {
            // Guesses count, and so do those that only keep the server busy.
            limits.GiveBack(context);
        }

        return answers.For(context, result);
    }

    private static async Task<Results<Ok<TokenPair>, ErrorResult>> RefreshAsync(
        HttpContext context, TokenReader reader, SessionTable sessions, AccountLog log, TokenSigner signer, TokenOptions options)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var text = fields.Required("refresh_token");
        if (fields.Error is { } error)
        {
            return error;
        }

        // Before anything else happens: a forged token must not be able to end anyone's session.
        if (reader.Read(text, TokenType.Refresh) is not { } token)
        {
            return ApiErrors.TokenInvalid();
        }

        // Once begun it ends: a client that went away and comes back within the window finds the successor.
        var result = await sessions.RefreshAsync(token, CancellationToken.None);
        switch (result.Status)
        {
            case RefreshStatus.Granted:
                return SignInAnswers.Tokens(context, result.Grant!.ToPair(signer, options));
            case RefreshStatus.Expired:
                return ApiErrors.TokenExpired();
            case RefreshStatus.Reused:
                log.RefreshReused(result.AccountId, token.SessionId);
                return ApiErrors.TokenRevoked();
            default:
                return ApiErrors.TokenRevoked();
        }
    }

    /// <summary>Signs out by the refresh token alone, since the access token may have expired; one that did not hold any more did its work.</summary>
    private static async Task<Results<Ok<LogoutAnswer>, ErrorResult>> LogoutAsync(
        HttpContext context, TokenReader reader, SessionTable sessions, ForwardedClient forwarded, AccountLog log)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var text = fields.Required("refresh_token");
        if (fields.Error is { } error)
        {
            return error;
        }

        if (reader.Read(text, TokenType.Refresh) is not { } token)
        {
            return ApiErrors.TokenInvalid();
        }

        if (await sessions.EndAsync(token, new Actor(token.AccountId, token.SessionId, Client: ClientInfo.Of(context, forwarded)), CancellationToken.None) is { } accountId)
        {
            log.SignedOut(accountId, token.SessionId);
        }

        return LoggedOut;
    }

    private static async Task<Results<Ok<AccountView>, ErrorResult>> GetMeAsync(Caller caller, AccountTable accounts, CancellationToken cancellationToken)
    {
        if (caller.OwnerId == Caller.StaticKeyOwner)
        {
            return ApiErrors.Forbidden("The static key belongs to no account.");
        }

        return await accounts.FindAsync(caller.OwnerId, cancellationToken) switch
        {
            null => ApiErrors.TokenRevoked(),
            { IsActive: false } => ApiErrors.Forbidden("This account is locked."),
            var account => TypedResults.Ok(AccountView.From(account)),
        };
    }

    private static async Task<Results<Ok<WsTicket>, ErrorResult>> CreateTicketAsync(HttpContext context, Caller caller, Tickets tickets)
    {
        var fields = await RequestFields.ReadJsonAsync(context);
        var path = ReadPath(fields);
        if (fields.Error is { } error)
        {
            return error;
        }

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await tickets.IssueAsync(caller, path, context.RequestAborted));
    }

    /// <summary>The path as the server will see it when the ticket is shown: without its query, and decoded.</summary>
    private static string ReadPath(RequestFields fields)
    {
        var given = fields.Required("path");
        var end = given.AsSpan().IndexOfAny('?', '#');
        var path = end < 0 ? given : given[..end];

        // Kestrel takes no request for a path with a zero in it, and decoding one throws.
        var isPath = path is ['/', ..] && path.Length <= MaxPath && !path.Contains("%00", StringComparison.Ordinal);
        var decoded = isPath ? PathString.FromUriComponent(path).Value! : "";
        if (!isPath || decoded.Any(char.IsControl))
        {
            fields.Refuse("path", "Must be the path of a socket or an event stream, beginning with a slash.");
        }

        return decoded;
    }

    private static void Check(RequestFields fields, string email, string? name)
    {
        if (!EmailAddress.IsValid(email))
        {
            fields.Refuse("email", "Must be an e-mail address.");
        }

        if (name is not null)
        {
            fields.CheckLength("name", name, 1, MaxName);
            if (name.Any(char.IsControl))
            {
                fields.Refuse("name", "Must not have control characters.");
            }
        }
    }
}
