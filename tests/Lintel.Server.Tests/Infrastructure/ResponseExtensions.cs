using System.Text.Json;

namespace Lintel.Infrastructure;

internal static class ResponseExtensions
{
    extension(HttpResponseMessage response)
    {
        public async Task<JsonElement> JsonAsync()
        {
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return JsonDocument.Parse(text).RootElement;
        }

        /// <summary>The code in the error envelope.</summary>
        public async Task<string?> ErrorCodeAsync() =>
            (await response.JsonAsync()).GetProperty("error").GetProperty("code").GetString();

        public string Header(string name) => string.Join(", ", response.Headers.GetValues(name));
    }
}
