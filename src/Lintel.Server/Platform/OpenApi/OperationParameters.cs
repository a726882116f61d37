using Lintel.Platform.Security;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Describes the parameters of handlers that take the whole request and read it themselves.</summary>
internal static class OperationParameters
{
    private static readonly ParameterMetadata Ticket = new(
        "ticket", ParameterLocation.Query, "A ticket from `POST /auth/ws-ticket` in place of headers, which browsers cannot send here.");
    private static readonly ParameterMetadata Token = new("token", ParameterLocation.Query, "An access token, for older clients; a ticket is safer, for it is good only once.");

    public static void AddMissing(OpenApiOperation operation, OpenApiOperationTransformerContext context, CallerRequirement? requirement)
    {
        foreach (var name in PathNames(context.Description.RelativePath ?? ""))
        {
            Add(operation, new(name, ParameterLocation.Path, "", IsRequired: true));
        }

        foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<ParameterMetadata>())
        {
            Add(operation, parameter);
        }

        if (requirement is { AcceptsTicket: true } or { IsSocket: true })
        {
            Add(operation, Ticket);
        }

        if (requirement is { IsSocket: true })
        {
            Add(operation, Token);
        }
    }

    private static void Add(OpenApiOperation operation, ParameterMetadata added)
    {
        var parameters = operation.Parameters ??= [];
        if (parameters.FirstOrDefault(parameter => parameter.Name == added.Name && parameter.In == added.Place) is { } known)
        {
            known.Description ??= added.Description is "" ? null : added.Description;
            return;
        }

        parameters.Add(new OpenApiParameter
        {
            Name = added.Name,
            In = added.Place,
            Required = added.IsRequired,
            Description = added.Description is "" ? null : added.Description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = added.MaxLength },
        });
    }

    private static IEnumerable<string> PathNames(string path) =>
        path.Split('/').Where(static segment => segment is ['{', .., '}']).Select(static segment => segment[1..^1].Split(':', '?', '=')[0].TrimStart('*'));
}
