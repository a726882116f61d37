namespace Lintel.Platform.Http;

internal static class HeadRequests
{
    /// <summary>
    /// Lets every route under <paramref name="routes"/> that answers GET answer HEAD too, as HTTP asks; Kestrel drops the body.
    /// Not streams, which would never end.
    /// </summary>
    public static RouteGroupBuilder WithHead(this RouteGroupBuilder routes)
    {
        ((IEndpointConventionBuilder)routes).Finally(static endpoint =>
        {
            if (endpoint.Metadata.OfType<StreamMetadata>().Any())
            {
                return;
            }

            var methods = endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault()?.HttpMethods;
            if (methods is { Count: 1 } && HttpMethods.IsGet(methods[0]))
            {
                endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
            }
        });
        return routes;
    }
}
