using System.Globalization;
using Lintel.Features.Accounts.Audit;
using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Administration.Importing;

internal static class ImportEndpoints
{
    private const int MaxBodyBytes = 512 * 1024;

    public static void MapImport(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/admin/users/import", RunAsync).WithTags("Administration").WithName("ImportUsers").WithSummary("Take accounts over from another system")
            .WithDescription(
                "With their bcrypt hashes, so that people sign in with the passwords they have. An address that has an account is told and left alone: the same request may be sent again. "
                + "Large tables are sent in parts by `lintel users import`. " + AdminProof.Wanted)
            .RequireCaller(Scopes.Admin).MaxBody(MaxBodyBytes);

    private static async Task<Results<Ok<ImportedUsers>, ErrorResult>> RunAsync(
        ImportUsers request, HttpContext context, Caller caller, UserImport import, StepUp stepUp, ForwardedClient forwarded)
    {
        if (request.Users is not { Count: > 0 and <= ImportUsers.Most })
        {
            return ApiErrors.Invalid("users", string.Create(CultureInfo.InvariantCulture, $"Must be a list of 1 to {ImportUsers.Most} accounts."));
        }

        return await AdminProof.RequireAsync(caller, stepUp, context.RequestAborted) is { } refusal
            ? refusal
            : TypedResults.Ok(await import.RunAsync(request, Actor.Of(context, caller, forwarded), context.RequestAborted));
    }
}
