using System.Reflection;
using Lintel.Platform.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Platform.Caching;

/// <summary>Answers with a body that is there already: 200, or 304 without it where the client has it by its <c>If-None-Match</c>.</summary>
/// <typeparam name="T">What the body is, for the API description.</typeparam>
/// <param name="cacheControl">Unless it says otherwise a browser may keep the body for its user, and asks each time whether it is still so.</param>
internal sealed class CachedResult<T>(CachedBody body, string cacheControl = "private, no-cache") : IResult, IEndpointMetadataProvider
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.ETag = body.ETag;
        response.Headers.CacheControl = cacheControl;
        if (EntityTags.Match(httpContext.Request, body.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Json.Length;
        return response.Body.WriteAsync(body.Json, httpContext.RequestAborted).AsTask();
    }

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));
}
