using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lintel.Platform.OpenApi;

/// <summary>The OpenAPI document: made from the endpoints once, when somebody first asks.</summary>
internal sealed class ApiDescription(IServiceProvider services)
{
    public const string DocumentName = "lintel";

    private readonly Lock _gate = new();
    private Task<ApiDocument>? _document;

    public async Task<ApiDocument> GetAsync(CancellationToken cancellationToken)
    {
        Task<ApiDocument> document;
        lock (_gate)
        {
            // Made for all who will ask, so not given up when the first of them leaves; a failure is tried again.
            document = _document is null or { IsFaulted: true } ? _document = Task.Run(MakeAsync, CancellationToken.None) : _document;
        }

        return await document.WaitAsync(cancellationToken);
    }

    private async Task<ApiDocument> MakeAsync()
    {
        var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName).GetOpenApiDocumentAsync();
        var json = await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
        var bytes = Encoding.UTF8.GetBytes(json.ReplaceLineEndings("\n") + "\n");
        return new(bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
    }
}

/// <summary>The document as it is sent.</summary>
internal sealed record ApiDocument(byte[] Bytes, string ETag);
