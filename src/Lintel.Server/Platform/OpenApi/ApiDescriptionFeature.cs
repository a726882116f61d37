using System.Text.Json;
using System.Text.Json.Nodes;
using Lintel.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

internal static class ApiDescriptionFeature
{
    public static void AddApiDescription(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOpenApi(ApiDescription.DocumentName, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;

            // Any JSON: a name would say no more.
            options.CreateSchemaReferenceId = static type =>
                (Nullable.GetUnderlyingType(type.Type) ?? type.Type) is var plain && (plain == typeof(JsonElement) || plain == typeof(JsonObject))
                    ? null
                    : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
            options.AddSchemaTransformer<SchemaTransformer>();
            options.AddDocumentTransformer<DocumentTransformer>();
            options.AddOperationTransformer<OperationTransformer>();
        });
        builder.Services.AddSingleton<ApiDescription>();
    }

    public static void MapApiDescription(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/openapi.json", GetDocumentAsync);
        pages.MapPage("/docs", "docs.html", "Swashbuckle.AspNetCore.SwaggerUI", ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"]);
        pages.MapPage("/redoc", "redoc.html", "Swashbuckle.AspNetCore.ReDoc", ["redoc.standalone.js"]);
    }

    private static async Task GetDocumentAsync(HttpContext context)
    {
        var document = await context.RequestServices.GetRequiredService<ApiDescription>().GetAsync(context.RequestAborted);
        var response = context.Response;
        response.Headers.ETag = document.ETag;
        response.Headers.CacheControl = "no-cache";
        if (EntityTags.Match(context.Request, document.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = "application/json";
        response.ContentLength = document.Bytes.Length;
        await response.Body.WriteAsync(document.Bytes, context.RequestAborted);
    }
}
