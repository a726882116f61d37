using System.Net;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;

namespace Lintel.Cli.Api;

/// <summary>Turns what a server refuses into a sentence with what to do, and the exit code for it.</summary>
internal static class Refusals
{
    public static CommandException Of(HttpResponseMessage response, string text, ServerAddress address)
    {
        var envelope = Read(text);
        var message = Message(response, envelope, address);
        var id = envelope?.RequestId ?? (response.Headers.TryGetValues("X-Request-ID", out var ids) ? ids.First() : null);
        return new CommandException(ExitCodeOf(response.StatusCode), message, $"HTTP {(int)response.StatusCode} {envelope?.Error?.Code}, request {id}")
        {
            Code = envelope?.Error?.Code,
            Challenge = envelope?.Error is { Code: "AUTH_2FA_REQUIRED", Details: { Challenge: { } challenge } details } ? new(challenge, details.Methods ?? []) : null,
        };
    }

    private static string Message(HttpResponseMessage response, ErrorEnvelope? envelope, ServerAddress address)
    {
        if (envelope?.Error is not { } error)
        {
            return (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } elsewhere
                ? $"{address} sends its visitors to {elsewhere}; use that address."
                : $"{address} answered with status {(int)response.StatusCode} and not as Lintel does; check the server's address.";
        }

        return error.Code switch
        {
            "AUTH_ERROR" => "You are not signed in; run `lintel login`.",
            "AUTH_INVALID_CREDENTIALS" => "The e-mail address or the password is wrong; try again.",
            "AUTH_2FA_REQUIRED" => "This needs a sign-in that is not older than 10 minutes; run `lintel logout` and `lintel login`, then try again.",
            "AUTH_TOKEN_EXPIRED" or "AUTH_TOKEN_REVOKED" or "AUTH_TOKEN_INVALID" => $"{End(error.Message)} Run `lintel login`, or check the API key.",
            "VALIDATION_ERROR" when error.Details?.Fields is { Count: > 0 } fields => Fields(fields),
            "FORBIDDEN" when response.RequestMessage?.RequestUri is { } asked && asked.AbsolutePath.StartsWith(address.At("api/admin/").AbsolutePath, StringComparison.Ordinal) =>
                $"This is for administrators. {End(error.Message)}",
            "RATE_LIMITED" => $"{End(error.Message)} Try again in {RetryAfter(response)} seconds.",
            "INTERNAL_ERROR" => $"The server made an error; report it to whoever runs it with the id {envelope.RequestId}.",
            _ => End(error.Message),
        };
    }

    private static string Fields(Dictionary<string, string[]> fields)
    {
        var text = new StringBuilder("The server refused the request:");
        foreach (var (name, problems) in fields)
        {
            text.Append(' ').Append(name).Append(": ").Append(string.Join(' ', problems.Select(End)));
        }

        return text.ToString();
    }

    private static string End(string sentence) => sentence.Length > 0 && char.IsLetterOrDigit(sentence[^1]) ? sentence + "." : sentence;

    private static long RetryAfter(HttpResponseMessage response) => (long)Math.Ceiling((response.Headers.RetryAfter?.Delta ?? TimeSpan.FromMinutes(1)).TotalSeconds);

    private static int ExitCodeOf(HttpStatusCode status) => (int)status switch
    {
        401 or 403 => ExitCode.NotAllowed,
        404 => ExitCode.NoInput,
        409 or 413 or 422 => ExitCode.BadData,
        408 or 429 => ExitCode.TryAgain,
        503 => ExitCode.Unavailable,
        >= 500 => ExitCode.Unavailable,
        _ => ExitCode.Protocol,
    };

    private static ErrorEnvelope? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ApiJson.Default.ErrorEnvelope);
        }
        catch (JsonException)
        {
            // A proxy's page, or another server's.
            return null;
        }
    }
}

/// <summary>The server was not reached, or its connection broke before there was an answer.</summary>
internal sealed class ServerUnreachableException(ServerAddress address, Exception cause)
    : Exception(Describe(address, cause), cause)
{
    /// <summary>Whether the server may have got the request all the same.</summary>
    public bool MayHaveArrived => InnerException is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };

    private static string Describe(ServerAddress address, Exception cause) => cause switch
    {
        { InnerException: AuthenticationException tls } => $"{address} could not be trusted: {tls.Message}",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => $"There is no host named {address.Root.Host}; check the server's address.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => $"{address} sent more than Lintel does; check the server's address.",
        { InnerException: System.Net.Sockets.SocketException network } =>
            $"{address} cannot be reached ({network.Message}); is the server running? `--server` or LINTEL_SERVER names another.",
        _ => $"The connection to {address} broke ({cause.Message}); try again.",
    };
}
