using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lintel.Platform.Breakers;
using Lintel.Platform.Http;

namespace Lintel.Features.Webhooks.Sending;

/// <summary>What became of one attempt.</summary>
/// <param name="StatusCode">Null where there was no answer.</param>
/// <param name="Error">What went wrong, in words of ours: what a server far away wrote is shown to nobody. Null where it was delivered.</param>
internal sealed record DeliveryOutcome(int? StatusCode, string? Error, TimeSpan Duration)
{
    public bool IsDelivered => Error is null;

    /// <summary>The target says that it is gone for good.</summary>
    public bool IsGone => StatusCode == StatusCodes.Status410Gone;

    /// <summary>False where nothing left this server.</summary>
    public bool WasTried { get; init; } = true;
}

/// <summary>Sends one message by one request, signed as Standard Webhooks has it, and believes nothing of the answer but its status.</summary>
internal sealed class WebhookSender(
    WebhookConnections connections, WebhookSecrets secrets, WebhookUrl urls, HostBreakers breakers, WebhookOptions options, TimeProvider time)
{
    private const int MaxAnswer = 64 * 1024;

    // The answer's body matters to nobody; read, its connection serves again.
    private static readonly TimeSpan BodyPatience = TimeSpan.FromSeconds(1);

    private static readonly ProductInfoHeaderValue UserAgent = new("Lintel", typeof(WebhookSender).Assembly.GetName().Version?.ToString(3));

    public async Task<DeliveryOutcome> SendAsync(NextDelivery target, PendingMessage message, CancellationToken cancellationToken)
    {
        // The settings may have changed since it was registered.
        if (urls.Check(target.Url, out var url) is not null)
        {
            return new(null, "This server does not send to such an address any more.", TimeSpan.Zero) { WasTried = false };
        }

        var began = time.GetTimestamp();
        try
        {
            var status = 0;
            await breakers.Of(url!).RunAsync(async token => status = await PostAsync(url!, target, message, token), cancellationToken);
            return new(status, Explain(status), time.GetElapsedTime(began));
        }
        catch (BreakerOpenException)
        {
            return new(null, "It could not be reached again and again, and is left alone for a moment.", TimeSpan.Zero) { WasTried = false };
        }
        catch (Exception failure) when (failure is HttpRequestException or TimeoutException or IOException)
        {
            return new(null, Explain(failure), time.GetElapsedTime(began));
        }
    }

    private async Task<int> PostAsync(Uri url, NextDelivery target, PendingMessage message, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var request = Compose(url, target, message);
        try
        {
            using var response = await connections.Client.SendAsync(request, either.Token);
            var status = (int)response.StatusCode;
            await SkipAsync(response, either.Token);
            return status;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    private HttpRequestMessage Compose(Uri url, NextDelivery target, PendingMessage message)
    {
        var id = message.Id.ToString();
        var now = time.GetUtcNow();
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var body = Write(message);
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];

        // Both secrets, where one was just changed: the receiver takes either.
        byte[]?[] salts = [target.Salt, target.PreviousUntil > now ? target.PreviousSalt : null];
        var signatures = salts.OfType<byte[]>().Select(salt => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secrets.Get(target.WebhookId, salt), signed)));
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.UserAgent.Add(UserAgent);
        request.Headers.Add("Webhook-Id", id);
        request.Headers.Add("Webhook-Timestamp", timestamp);
        request.Headers.Add("Webhook-Signature", string.Join(' ', signatures));
        return request;
    }

    /// <summary>The same bytes on every attempt.</summary>
    private static byte[] Write(PendingMessage message)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteString("id", message.Id);
        json.WriteString("type", message.Type);
        json.WriteString("created_at", UtcTimeConverter.Write(message.CreatedAt));
        json.WritePropertyName("data");
        json.WriteRawValue(message.Data);
        json.WriteEndObject();
        json.Flush();
        return body.WrittenSpan.ToArray();
    }

    private async Task SkipAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(BodyPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(8 * 1024);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            for (int total = 0, read = 1; read > 0 && total < MaxAnswer; total += read)
            {
                read = await body.ReadAsync(buffer, either.Token);
            }
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException || (failure is OperationCanceledException && late.IsCancellationRequested))
        {
            // It has answered; what it does not say to the end is no loss, and the connection is closed with it.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Explain(int status) => status switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => string.Create(CultureInfo.InvariantCulture, $"It answered with a redirect ({status}), which is not followed: give the address that it leads to."),
        StatusCodes.Status410Gone => "It answered 410: it is gone.",
        _ => string.Create(CultureInfo.InvariantCulture, $"It answered {status}."),
    };

    private string Explain(Exception failure) => failure switch
    {
        TimeoutException => string.Create(CultureInfo.InvariantCulture, $"It did not answer within {options.Timeout.TotalSeconds:0} seconds."),
        HttpRequestException { InnerException: TargetRefusedException } => "Its address is not a public one, and this server does not send to others.",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "Its name leads to no address.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "It could not be connected to.",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "It does not speak TLS, or its certificate is not valid.",
        _ => "It did not answer with HTTP that can be understood.",
    };
}
