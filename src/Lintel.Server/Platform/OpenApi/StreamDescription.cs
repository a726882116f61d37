using System.Text.Json.Nodes;
using Lintel.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>Describes responses that go on: event streams, and WebSockets, for which OpenAPI has no words but the handshake's.</summary>
internal static class StreamDescription
{
    private const string SocketExtension = "x-websocket";

    private const string Closing =
        "Closes with 1000 when done, 1001 when the server goes away, 1003 for what is not JSON text, 1008 for a refusal (the reason tells which), "
        + "1009 for a message too big, 1011 for a server error.";

    // Swagger UI takes credentials that may be left out for given ones, and offers a plain request.
    private const string Opening =
        "The handshake may have a credential; without one the first message must have it, which is why the padlock on the page `/docs` looks closed to everybody. "
        + "\"Execute\" there cannot open a WebSocket, and gets 426.";

    public static async Task AddAsync(
        OpenApiOperation operation, OpenApiResponses responses, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        switch (metadata.OfType<StreamMetadata>().LastOrDefault())
        {
            case { Kind: StreamKind.WebSocket }:
                responses.Remove("200");
                responses["101"] = new OpenApiResponse { Description = "The connection is a WebSocket from here on." };
                if (metadata.OfType<SocketMessages>().LastOrDefault() is { } messages)
                {
                    await DescribeSocketAsync(operation, messages, context, cancellationToken);
                }

                break;
            case { Kind: StreamKind.ServerSentEvents }:
                var events = metadata.OfType<EventStreamMessages>().LastOrDefault();
                IOpenApiSchema schema = events is null
                    ? new OpenApiSchema { Type = JsonSchemaType.String }
                    : await MessageSchemas.EventsAsync(events.Events, context, cancellationToken);
                responses["200"] = new OpenApiResponse
                {
                    Description = "Server-Sent Events until the stream ends. The schema is that of one event, its `data` parsed.",
                    Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { ["text/event-stream"] = new() { Schema = schema } },
                };
                responses["204"] = new OpenApiResponse { Description = "The stream is over and its last event was the one you named: do not come back." };
                break;
        }
    }

    private static async Task DescribeSocketAsync(
        OpenApiOperation operation, SocketMessages messages, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var client = await MessageSchemas.MessagesAsync(messages.Client, context, cancellationToken);
        var server = await MessageSchemas.MessagesAsync(messages.Server, context, cancellationToken);
        operation.Extensions ??= new Dictionary<string, IOpenApiExtension>(StringComparer.Ordinal);
        operation.Extensions[SocketExtension] = new SocketExtensionValue(client, server);
        ShowWith(operation, messages.Client, context.Document!);
        ShowWith(operation, messages.Server, context.Document!);
        operation.Description = string.Join("\n\n", new[]
        {
            operation.Description,
            $"You send `{messages.Client.Name}`: {Names(messages.Client)}. The server sends `{messages.Server.Name}`: {Names(messages.Server)}. "
            + "Each is one JSON object in a text message.",
            Opening,
            Closing,
        }.Where(static part => !string.IsNullOrEmpty(part)));
    }

    private static string Names(MessageUnion union) => string.Join(", ", union.Types.Select(static type => $"`{type.Name}`").Distinct(StringComparer.Ordinal));

    /// <summary>ReDoc shows a schema in the group that this extension names; it would not be seen otherwise.</summary>
    private static void ShowWith(OpenApiOperation operation, MessageUnion union, OpenApiDocument document)
    {
        if (operation.Tags?.FirstOrDefault()?.Name is { } tag && document.Components!.Schemas![union.Name] is OpenApiSchema schema)
        {
            schema.Extensions = new Dictionary<string, IOpenApiExtension>(StringComparer.Ordinal) { ["x-tags"] = new JsonNodeExtension(new JsonArray(tag)) };
        }
    }

    private sealed class SocketExtensionValue(OpenApiSchemaReference client, OpenApiSchemaReference server) : IOpenApiExtension
    {
        public void Write(IOpenApiWriter writer, OpenApiSpecVersion specVersion)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("client");
            client.SerializeAsV31(writer);
            writer.WritePropertyName("server");
            server.SerializeAsV31(writer);
            writer.WriteEndObject();
        }
    }
}
