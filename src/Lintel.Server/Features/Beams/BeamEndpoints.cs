using System.Buffers;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Lintel.Platform.Sockets;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Beams;

internal static class BeamEndpoints
{
    private const int MaxSessionName = 128;

    public static void MapBeams(this IEndpointRouteBuilder routes)
    {
        var beams = routes.MapGroup("/api/beams").WithTags("Beams").RequireCaller(Scopes.Design).RateLimited();
        beams.MapPost("design", DesignAsync).WithName("DesignBeam").WithSummary("Design one beam").Accepts<DesignBeam>("application/json").Produces<DesignedBeam>();
        beams.MapPost("check", CheckAsync).WithName("CheckBeam").WithSummary("Check one section for several load cases").Accepts<CheckBeam>("application/json").Produces<CheckedBeam>();
        routes.MapGet("/ws/design/{session_id}", OpenSessionAsync).WithTags("Beams").WithName("DesignSession").WithSummary("Design and check beams live over a WebSocket")
            .RequireSocketCaller(Scopes.Design).Streams(StreamKind.WebSocket);
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
        var errors = RequestBody.Parse(await RequestBody.ReadJsonAsync(context), body => write(body, result));
        return errors.Any ? Errors.Invalid(errors.ToDictionary()) : TypedResults.Bytes(result.WrittenSpan.ToArray(), "application/json; charset=utf-8");
    }

    /// <summary>A live session: a message in, its answer out. Sockets of one owner in one session see each other's results.</summary>
    private static async Task OpenSessionAsync(HttpContext context, SocketHandshake handshake, DesignSocket socket)
    {
        var name = (string)context.Request.RouteValues["session_id"]!;
        if (name.Length > MaxSessionName)
        {
            await Errors.WriteAsync(context, Errors.NotFound("A session's name has at most 128 characters."));
            return;
        }

        await handshake.RunAsync(context, Scopes.Design, (connection, firstIsRead) => socket.ServeAsync(connection, name, firstIsRead));
    }
}
