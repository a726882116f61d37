using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Security.Cryptography;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.ApiKeys;

internal static class ApiKeyEndpoints
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;

    private static readonly string AllowedScopes = string.Join(", ", Scopes.All.ToNames());

    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        // A key that could make keys would outlive its own revocation, so these are for people alone.
        var keys = routes.MapGroup("/api/keys").WithTags("API keys").RequirePerson().RateLimited();
        keys.MapPost("", CreateAsync).WithName("CreateApiKey").WithSummary("Make an API key")
            .WithDescription("The key is in this answer and nowhere else. It acts for you, within its scopes, until it expires or you revoke it; signing out does not end it.")
            .MaxBody(MaxBodyBytes).ProducesErrors(409).DescribeResponse(201, "The key was made; keep it now.", ("Location", "The key, to be revoked: `/api/keys/{id}`."));
        keys.MapGet("", ListAsync).WithName("ListApiKeys").WithSummary("List your API keys, newest first");
        keys.MapDelete("{id:guid}", RevokeAsync).WithName("RevokeApiKey").WithSummary("Revoke an API key")
            .WithDescription("It is refused from now on, and its open sockets and event streams are closed, on every node.")
            .ProducesErrors(404).DescribeResponse(204, "The key is revoked.");
    }

    private static async Task<Results<Created<CreatedApiKey>, ErrorResult>> CreateAsync(
        CreateApiKey request, HttpContext context, Caller caller, ApiKeyTable table, ApiKeyOptions options, ApiKeyLog log, TimeOrderedIds ids, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (Check(request, options, now) is { } invalid)
        {
            return invalid;
        }

        var scopes = ScopesExtensions.Parse(request.Scopes);
        if (!caller.Has(scopes))
        {
            return ApiErrors.Forbidden($"You do not have the scope {string.Join(", ", (scopes & ~caller.Scopes).ToNames())}, so no key of yours can have it.");
        }

        var text = ApiKeyText.Create();
        var hash = new byte[SHA256.HashSizeInBytes];
        ApiKeyText.Hash(text, hash);
        var key = new ApiKey(ids.Next(), request.Name.Trim(), ApiKeyText.PrefixOf(text), scopes, request.RateLimit, now, request.ExpiresAt);
        switch (await table.AddAsync(key, hash, caller, context.RequestAborted))
        {
            case AddApiKeyStatus.SignedOut:
                return ApiErrors.TokenRevoked();
            case AddApiKeyStatus.Full:
                return ApiErrors.Conflict(string.Create(
                    CultureInfo.InvariantCulture, $"You have {options.MaxPerAccount} API keys, which is as many as one account may have; revoke one that you no longer need."));
            default:
                log.Created(caller.OwnerId, key.Id);
                context.Response.Headers.CacheControl = "no-store";
                return TypedResults.Created($"/api/keys/{key.Id}", CreatedApiKey.From(key, text));
        }
    }

    private static async Task<Results<Ok<ApiKeyList>, ErrorResult>> ListAsync(
        Caller caller,
        ApiKeyTable table,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many keys a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            return ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}."));
        }

        Guid? before = null;
        if (after is not null)
        {
            if (!Guid.TryParse(after, out var id))
            {
                return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
            }

            before = id;
        }

        // One more than asked for tells whether there is a next page.
        var keys = await table.ListAsync(caller.OwnerId, before, limit + 1, cancellationToken);
        var page = keys.Take(limit).Select(ApiKeyView.From).ToList();
        return TypedResults.Ok(new ApiKeyList(page, keys.Count > limit ? page[^1].Id.ToString() : null));
    }

    private static async Task<Results<NoContent, ErrorResult>> RevokeAsync(Guid id, Caller caller, ApiKeyTable table, ApiKeyLog log, TimeProvider time)
    {
        // Once begun it ends: who has asked for this may be in a hurry, and gone.
        if (!await table.RevokeAsync(id, caller.OwnerId, time.GetUtcNow(), CancellationToken.None))
        {
            return ApiErrors.NotFound("You have no API key of this id.");
        }

        log.Revoked(caller.OwnerId, id);
        return TypedResults.NoContent();
    }

    private static ErrorResult? Check(CreateApiKey request, ApiKeyOptions options, DateTimeOffset now)
    {
        var errors = default(FieldErrors);
        var name = request.Name?.Trim();
        if (name is null || name.EnumerateRunes().Count() is < 1 or > CreateApiKey.MaxName)
        {
            errors.Add("name", string.Create(CultureInfo.InvariantCulture, $"Must have 1 to {CreateApiKey.MaxName} characters."));
        }
        else if (name.Any(char.IsControl))
        {
            errors.Add("name", "Must not have control characters.");
        }

        if (request.Scopes is not { Count: > 0 } || request.Scopes.Any(static scope => ScopesExtensions.Parse([scope]) == Scopes.None))
        {
            errors.Add("scopes", $"Must be a list of at least one of: {AllowedScopes}.");
        }

        if (request.ExpiresAt <= now)
        {
            errors.Add("expires_at", "Must be in the future.");
        }

        if (request.RateLimit is { } limit && (limit < 1 || limit > options.MaxRateLimit))
        {
            errors.Add("rate_limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {options.MaxRateLimit}."));
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }
}
