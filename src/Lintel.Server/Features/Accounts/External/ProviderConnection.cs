using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lintel.Platform.Breakers;
using Lintel.Platform.Errors;

namespace Lintel.Features.Accounts.External;

/// <summary>A provider does not answer, or not with what it should: clients get a 503.</summary>
internal sealed class ProviderUnavailableException(string provider, Exception? inner = null)
    : ServiceUnavailableException($"The provider {provider} does not answer as it should; try again shortly.", inner);

/// <summary>What a provider said to one request. The body is JSON, or there is none that matters.</summary>
internal sealed record ProviderAnswer(int Status, JsonElement Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>All requests of ours to providers: through their breaker, bounded in time and in bytes, to no other place than the one asked for.</summary>
internal sealed class ProviderConnection(Breakers breakers, TimeProvider time) : IDisposable
{
    private const int MaxAnswer = 256 * 1024;
    private const int MaxHeadersKilobytes = 32;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly ProductInfoHeaderValue UserAgent = new("Lintel", typeof(ProviderConnection).Assembly.GetName().Version?.ToString(3));

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        // A redirect would carry the client's secret to where nobody has looked.
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = Patience,
        MaxResponseHeadersLength = MaxHeadersKilobytes,
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    });

    /// <exception cref="ServiceUnavailableException">It does not answer, or its breaker is open.</exception>
    public async Task<ProviderAnswer> SendAsync(ExternalProvider provider, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ProviderAnswer? answer = null;
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.UserAgent.Add(UserAgent);
        try
        {
            await breakers[provider.BreakerName].RunAsync(async token => answer = await CallAsync(request, token), cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TimeoutException or JsonException)
        {
            throw new ProviderUnavailableException(provider.Id, failure);
        }

        return answer!;
    }

    public void Dispose() => _client.Dispose();

    private async Task<ProviderAnswer> CallAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var response = await _client.SendAsync(request, either.Token);
            var status = (int)response.StatusCode;
            if (status >= StatusCodes.Status500InternalServerError)
            {
                throw new HttpRequestException($"It answered {status}.");
            }

            var body = await ReadAsync(response, either.Token);

            // A refusal may be a page for people.
            return new(status, status < StatusCodes.Status300MultipleChoices ? JsonElement.Parse(body) : default);
        }
        catch (OperationCanceledException failure) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("It did not answer in time.", failure);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var read = new MemoryStream();
        var buffer = new byte[8 * 1024];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (read.Length + count > MaxAnswer)
            {
                throw new HttpRequestException("Its answer is too long.");
            }

            read.Write(buffer, 0, count);
        }

        return read.ToArray();
    }
}
