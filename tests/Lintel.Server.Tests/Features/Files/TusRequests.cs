using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>Requests of the protocol tus.</summary>
internal static class TusRequests
{
    public const string Path = "/api/files/tus";

    extension(Uploader uploader)
    {
        public Task<HttpResponseMessage> CreateUploadAsync(
            long length, string filename = "plan.bin", string? type = null, byte[]? content = null, params (string Name, string Value)[] headers)
        {
            var metadata = $"filename {Base64(filename)}" + (type is null ? "" : $",filetype {Base64(type)}");
            return uploader.SendTusAsync(
                HttpMethod.Post, Path, content, [("Upload-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("Upload-Metadata", metadata), .. headers]);
        }

        /// <summary>Begins an upload, which must be allowed, and tells its path.</summary>
        public async Task<string> BeginAsync(long length, string filename = "plan.bin", string? type = null)
        {
            using var response = await uploader.CreateUploadAsync(length, filename, type);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            return response.Headers.Location!.ToString();
        }

        public Task<HttpResponseMessage> AppendAsync(string upload, long offset, byte[] content, params (string Name, string Value)[] headers) =>
            uploader.SendTusAsync(HttpMethod.Patch, upload, content, [("Upload-Offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture)), .. headers]);

        /// <summary>How far an upload is; null where there is none.</summary>
        public async Task<long?> OffsetAsync(string upload)
        {
            using var response = await uploader.SendTusAsync(HttpMethod.Head, upload, null);
            return response.StatusCode == HttpStatusCode.NotFound ? null : long.Parse(response.Header("Upload-Offset"), System.Globalization.CultureInfo.InvariantCulture);
        }

        public Task<HttpResponseMessage> SendTusAsync(HttpMethod method, string path, byte[]? content, params (string Name, string Value)[] headers)
        {
            ByteArrayContent? body = null;
            if (content is not null)
            {
                body = new(content);
                body.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
            }

            return uploader.SendAsync(method, path, body, [("Tus-Resumable", "1.0.0"), .. headers]);
        }
    }

    public static Guid IdOf(string upload) => Guid.Parse(upload[(Path.Length + 1)..]);

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
