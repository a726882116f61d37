namespace Lintel.Platform.OpenApi;

/// <summary>Endpoint metadata: a query parameter that the handler reads itself, for the API description.</summary>
internal sealed record QueryMetadata(string Name, string Description, bool IsRequired);

internal static class DescriptionExtensions
{
    /// <summary>Describes a query parameter that no handler's signature shows.</summary>
    public static TBuilder DescribeQuery<TBuilder>(this TBuilder builder, string name, string description, bool isRequired = false)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new QueryMetadata(name, description, isRequired));

    /// <summary>Marks a route that works on for older clients.</summary>
    public static TBuilder Deprecated<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ObsoleteAttribute());
}
