using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Endpoint metadata: a parameter that the handler reads itself.</summary>
internal sealed record ParameterMetadata(string Name, ParameterLocation Place, string Description, bool IsRequired = false, int? MaxLength = null);

/// <summary>Endpoint metadata: what a response means, and the headers that only it has.</summary>
/// <param name="Status">Which response; one that is not described otherwise has no content.</param>
/// <param name="Description">Null where the usual words will do.</param>
/// <param name="Headers">Name and description of each.</param>
internal sealed record ResponseMetadata(int Status, string? Description, params (string Name, string Description)[] Headers);

/// <summary>Endpoint metadata: the contract of a body that comes as a form, where it differs from the JSON.</summary>
internal sealed record FormMetadata(Type Contract);

internal static class EndpointDescriptionExtensions
{
    /// <summary>Describes a query parameter that no handler's signature shows.</summary>
    public static TBuilder DescribeQuery<TBuilder>(this TBuilder builder, string name, string description, bool isRequired = false)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ParameterMetadata(name, ParameterLocation.Query, description, isRequired));

    /// <summary>Describes a request header that the handler reads itself.</summary>
    public static TBuilder DescribeHeader<TBuilder>(this TBuilder builder, string name, string description, int? maxLength = null)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ParameterMetadata(name, ParameterLocation.Header, description, MaxLength: maxLength));

    /// <summary>Describes a response beyond its status and content.</summary>
    public static TBuilder DescribeResponse<TBuilder>(this TBuilder builder, int status, string? description, params (string Name, string Description)[] headers)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ResponseMetadata(status, description, headers));

    /// <summary>Describes what a form must have, on a route that also takes JSON.</summary>
    public static TBuilder DescribeForm<TBuilder>(this TBuilder builder, Type contract)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new FormMetadata(contract));

    /// <summary>Describes where a route begins that can be resumed by cursor.</summary>
    public static TBuilder DescribeCursor<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder
            .DescribeHeader("Last-Event-ID", "The `id` of the last event received: the stream goes on after it. Wins over `after`.")
            .DescribeQuery("after", "As `Last-Event-ID`, for clients that cannot send headers.");

    /// <summary>Marks a route that works on for older clients.</summary>
    public static TBuilder Deprecated<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ObsoleteAttribute());
}
