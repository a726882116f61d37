using Lintel.Platform.Configuration;
using Lintel.Platform.Telemetry;

namespace Lintel.Platform.Http;

internal static class CrossOrigin
{
    private static readonly string[] ExposedHeaders =
    [
        RequestId.HeaderName, "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Window", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy", "Retry-After", "Location", "ETag",
        "Content-Disposition", "Content-Range", "Accept-Ranges", "Upload-Offset", "Upload-Length", "Upload-Expires", "Upload-Metadata", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size",
    ];

    /// <summary>Browsers may call this server from the pages of <c>CORS_ORIGINS</c> only. No cookies are involved, so credentials are not allowed either.</summary>
    public static void AddCrossOrigin(this IHostApplicationBuilder builder, ServerOptions options)
    {
        if (options.CorsOrigins.Count == 0)
        {
            return;
        }

        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. options.CorsOrigins])
            .AllowAnyMethod()
            .AllowAnyHeader()
            .WithExposedHeaders(ExposedHeaders)
            .SetPreflightMaxAge(TimeSpan.FromHours(1))));
    }

    public static void UseCrossOrigin(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ServerOptions>().CorsOrigins.Count != 0)
        {
            app.UseCors();
        }
    }
}
