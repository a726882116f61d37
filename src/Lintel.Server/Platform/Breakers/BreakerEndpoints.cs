using System.ComponentModel;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Platform.Breakers;

internal static class BreakerEndpoints
{
    public static void MapBreakers(this IEndpointRouteBuilder routes)
    {
        var breakers = routes.MapGroup("/api/admin/breakers").WithTags("Administration").RequireCaller(Scopes.Admin);
        breakers.MapGet("", List).WithName("ListBreakers").WithSummary("List the circuit breakers")
            .WithDescription("As the node that answers sees them; on PostgreSQL the nodes tell each other.");
        breakers.MapPost("{name}/reset", ResetAsync).WithName("ResetBreaker").WithSummary("Close a circuit breaker by hand")
            .WithDescription("For when you know that what it stands before works again: calls are made at once, on every node.")
            .ProducesErrors(404);
    }

    internal static Ok<BreakerList> List(Breakers breakers) => TypedResults.Ok(new BreakerList([.. breakers.All.Select(BreakerView.From)]));

    private static async Task<Results<Ok<BreakerView>, ErrorResult>> ResetAsync([Description("Its name, from the list.")] string name, Breakers breakers)
    {
        if (breakers.Find(name) is not { } breaker)
        {
            return ApiErrors.NotFound();
        }

        await breaker.ResetAsync();
        return TypedResults.Ok(BreakerView.From(breaker));
    }
}
