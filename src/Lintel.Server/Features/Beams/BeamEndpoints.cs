using System.Buffers;
using Lintel.Features.Beams.Batches;
using Lintel.Features.Beams.Live;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.Json;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Beams;

internal static class BeamEndpoints
{
    public static void MapBeams(this IEndpointRouteBuilder routes)
    {
        var beams = routes.MapGroup("/api/beams").WithTags("Beams").RequireCaller(Scopes.Design).RateLimited();
        beams.MapPost("design", DesignAsync).WithName("DesignBeam").WithSummary("Design one beam")
            .WithDescription("Designs the steel of one rectangular or flanged beam. Fields that are left out have their defaults.")
            .Accepts<DesignBeam>("application/json").Produces<DesignedBeam>();
        beams.MapPost("check", CheckAsync).WithName("CheckBeam").WithSummary("Check one section for several load cases")
            .WithDescription("Finds which of up to 1000 load cases governs, and whether all are safe.")
            .Accepts<CheckBeam>("application/json").Produces<CheckedBeam>();
        var sessions = routes.ServiceProvider.GetRequiredService<DesignSocket>();
        routes.MapGet("/ws/design/{session_id}", sessions.ServeAsync).WithTags("Beams").WithName("DesignSession").WithSummary("Design and check beams live over a WebSocket")
            .WithDescription("One message in, one answer out, at once. Sockets of one account that use the same `session_id` see each other's results.")
            .RequireSocketCaller(Scopes.Design).Streams(StreamKind.WebSocket).ProducesErrors(404, 426).DescribeMessages(LiveMessages.Client, LiveMessages.Server);
        routes.MapBatches();
    }

    private static Task<Results<FileContentHttpResult, ErrorResult>> DesignAsync(HttpContext context, CancellationToken cancellationToken) =>
        AnswerAsync(context, static (body, result) =>
        {
            var beam = BeamParameters.Read(body.Span);
            if (!beam.Errors.Any)
            {
                BeamResults.WriteData(result, beam);
            }

            return beam.Errors;
        });

    private static Task<Results<FileContentHttpResult, ErrorResult>> CheckAsync(HttpContext context, CancellationToken cancellationToken) =>
        AnswerAsync(context, static (body, result) =>
        {
            var check = CheckParameters.Read(body.Span);
            if (!check.Errors.Any)
            {
                CheckResults.WriteData(result, check);
            }

            return check.Errors;
        });

    private static async Task<Results<FileContentHttpResult, ErrorResult>> AnswerAsync(
        HttpContext context, Func<ReadOnlyMemory<byte>, IBufferWriter<byte>, FieldErrors> write)
    {
        var result = new ArrayBufferWriter<byte>(2048);
        var errors = await RequestBody.ReadJsonAsync(context, body => write(body, result));
        return errors.Any ? ApiErrors.Invalid(errors) : TypedResults.Bytes(result.WrittenSpan.ToArray(), "application/json; charset=utf-8");
    }
}
