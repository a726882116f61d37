using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lintel.Cli.Accounts;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Api;

/// <summary>Requests to the server, with the caller's credentials, and its errors as sentences.</summary>
internal sealed class ApiClient : IDisposable
{
    /// <summary>Of an answer that should be a sentence. Whoever sends more is no Lintel server.</summary>
    private const int LargestError = 64 * 1024;

    /// <summary>Of any other answer that is read whole.</summary>
    private const int LargestAnswer = 64 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly HttpClient _http;

    public ApiClient(ServerAddress address, bool verbose)
    {
        Address = address;
        IsVerbose = verbose;

        // No redirects: credentials go where they were meant for.
        Handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15) };
        _http = new HttpClient(Handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LargestAnswer };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("lintel-cli", typeof(ApiClient).Assembly.GetName().Version!.ToString(3)));
    }

    public ServerAddress Address { get; }

    public bool IsVerbose { get; }

    public SocketsHttpHandler Handler { get; }

    /// <summary>Whose the requests are; null before signing in.</summary>
    public Credentials? Credentials { get; set; }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, path, null, answer, null, cancellationToken);

    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answer, CancellationToken cancellationToken, string? idempotencyKey = null) =>
        AskAsync(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), answer, idempotencyKey, cancellationToken);

    public Task<TAnswer> PostAsync<TAnswer>(string path, byte[] body, JsonTypeInfo<TAnswer> answer, CancellationToken cancellationToken, string? idempotencyKey = null) =>
        AskAsync(HttpMethod.Post, path, body, answer, idempotencyKey, cancellationToken);

    public Task<T> DeleteAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Delete, path, null, answer, null, cancellationToken);

    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Delete, Address.At(path)), HttpCompletionOption.ResponseContentRead, cancellationToken);
        await ThrowIfRefusedAsync(response, cancellationToken);
    }

    /// <summary>Sends a request with the credentials, once more with new ones where they had expired. Any answer is an answer.</summary>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        var credential = Credentials is null ? null : await Credentials.GetAsync(cancellationToken);
        var response = await SendOnceAsync(make(), credential, completion, cancellationToken);
        if (response.StatusCode == HttpStatusCode.Unauthorized && credential is { Token: { } refused } && await Credentials!.RenewAsync(refused, cancellationToken) is { } renewed)
        {
            response.Dispose();
            response = await SendOnceAsync(make(), renewed, completion, cancellationToken);
        }

        return response;
    }

    /// <exception cref="CommandException">The server refused.</exception>
    public async Task ThrowIfRefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw Refusals.Of(response, await ReadErrorAsync(response, cancellationToken), Address);
        }
    }

    private static async Task<string> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        var text = new byte[LargestError];
        return Encoding.UTF8.GetString(text, 0, await content.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, cancellationToken));
    }

    /// <summary>What <c>--verbose</c> shows of a request.</summary>
    public void Trace(string line)
    {
        if (IsVerbose)
        {
            StandardStreams.Tell(line);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        Handler.Dispose();
    }

    private async Task<T> AskAsync<T>(
        HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> answer, string? idempotencyKey, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await SendAsync(Make, HttpCompletionOption.ResponseContentRead, patience.Token);
            await ThrowIfRefusedAsync(response, patience.Token);
            await using var content = await response.Content.ReadAsStreamAsync(patience.Token);
            return await JsonSerializer.DeserializeAsync(content, answer, patience.Token) ?? throw new JsonException("null");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(ExitCode.TryAgain, $"{Address} did not answer within {Patience.TotalSeconds:0} seconds; try again later.");
        }
        catch (JsonException odd)
        {
            throw new CommandException(ExitCode.Protocol, $"{Address} gave an answer that is not Lintel's; check the server's address.", odd.Message, odd);
        }

        HttpRequestMessage Make()
        {
            var request = new HttpRequestMessage(method, Address.At(path));
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            }

            if (idempotencyKey is not null)
            {
                request.Headers.Add("Idempotency-Key", idempotencyKey);
            }

            return request;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, Credential? credential, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        credential?.AddTo(request.Headers);
        var began = Stopwatch.GetTimestamp();
        try
        {
            var response = await _http.SendAsync(request, completion, cancellationToken);
            Trace(string.Create(
                null,
                $"{request.Method} {request.RequestUri!.AbsolutePath} {(int)response.StatusCode} in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, request {RequestIdOf(response)}"));
            return response;
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException)
        {
            // The bare ones come from a connection that was reset the moment it was made.
            Trace($"{request.Method} {request.RequestUri!.AbsolutePath} failed: {failure.Message}");
            throw new ServerUnreachableException(Address, failure);
        }
        finally
        {
            request.Dispose();
        }
    }

    private static string RequestIdOf(HttpResponseMessage response) => response.Headers.TryGetValues("X-Request-ID", out var ids) ? ids.First() : "without id";
}
