using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Platform.Errors;

/// <summary>An error for the client, as a result of a handler. Made by <see cref="ApiErrors"/>.</summary>
internal sealed class ErrorResult(int status, string code, string message) : IResult, IStatusCodeHttpResult, IEndpointMetadataProvider
{
    public int Status => status;

    public string Code => code;

    /// <summary>For people; it may be shown to them, so it holds nothing internal.</summary>
    public string Message => message;

    /// <summary>Facts for programs; empty where null.</summary>
    public JsonObject? Details { get; init; }

    /// <summary>When it makes sense to ask again, for 429 and 503.</summary>
    public TimeSpan? RetryAfter { get; init; }

    int? IStatusCodeHttpResult.StatusCode => status;

    public Task ExecuteAsync(HttpContext httpContext) => ErrorWriter.WriteAsync(httpContext, this);

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(ErrorResponseMetadata.Instance);
}

/// <summary>Endpoint metadata: the endpoint may answer with an <see cref="ErrorEnvelope"/>.</summary>
/// <param name="Statuses">Those known beforehand; the API description lists them one by one.</param>
internal sealed record ErrorResponseMetadata(params int[] Statuses)
{
    public static readonly ErrorResponseMetadata Instance = new();
}

internal static class ErrorResponseExtensions
{
    /// <summary>
    /// Names the errors that an endpoint returns itself, for the API description. Those of the platform (401, 403, 405, 413, 415, 422, 429, 500, 503)
    /// need not be named.
    /// </summary>
    public static TBuilder ProducesErrors<TBuilder>(this TBuilder builder, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ErrorResponseMetadata(statuses));
}
