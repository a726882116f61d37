namespace Lintel.Platform.OpenApi;

/// <summary>A group of operations in the API description. They are shown in the order in which the features add them.</summary>
/// <param name="Name">As <c>WithTags</c> has it.</param>
/// <param name="Description">What the group is for, in a sentence or two.</param>
internal sealed record ApiTag(string Name, string Description);

internal static class ApiTagExtensions
{
    /// <summary>Describes a group of operations.</summary>
    public static void DescribeTag(this IHostApplicationBuilder builder, string name, string description) =>
        builder.Services.AddSingleton(new ApiTag(name, description));
}
