using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Lintel.Platform.Breakers;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>
/// Asks a service of leaked passwords, by k-anonymity: it is told five digits of a password's SHA-1, which a thousand others share, and answers with all that begin so. Off unless
/// <c>PASSWORD_BREACH_URL</c> is set; a service that does not answer keeps nobody from choosing a password.
/// </summary>
internal sealed partial class BreachedPasswords : IDisposable
{
    public const string BreakerName = "breached-passwords";

    private const int PrefixLength = 5;
    private const int MaxAnswerBytes = 512 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly PasswordOptions _options;
    private readonly Breaker? _breaker;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        Credentials = null,
        ActivityHeadersPropagator = null,
        ConnectTimeout = Patience,
        MaxResponseHeadersLength = 16,
        MaxConnectionsPerServer = 8,
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    });

    public BreachedPasswords(PasswordOptions options, Breakers breakers, TimeProvider time, ILogger<BreachedPasswords> logger) =>
        (_options, _breaker, _time, _logger) = (options, breakers.Find(BreakerName), time, logger);

    /// <returns>True where the service knows the password; false too where it cannot be asked.</returns>
    public async ValueTask<bool> ContainsAsync(string password, CancellationToken cancellationToken)
    {
        if (_options.BreachUrl is not { } url || _breaker is null)
        {
            return false;
        }

        var hash = HashOf(password);
        try
        {
            var isFound = false;
            await _breaker.RunAsync(async token => { isFound = await AskAsync(new Uri(url, hash[..PrefixLength]), hash[PrefixLength..], token); }, cancellationToken);
            return isFound;
        }
        catch (BreakerOpenException)
        {
            return false;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TimeoutException)
        {
            // The kind alone: a message may hold the address that was asked, and with it the five digits.
            Log.Unavailable(_logger, failure.GetType().Name);
            return false;
        }
    }

    public void Dispose() => _client.Dispose();

    [SuppressMessage("Security", "CA5350", Justification = "The services of this protocol know passwords by their SHA-1.")]
    private static string HashOf(string password) => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password)));

    private async ValueTask<bool> AskAsync(Uri url, string rest, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.UserAgent.ParseAdd("Lintel");

            // The size of the answer is to tell nothing either.
            request.Headers.Add("Add-Padding", "true");
            using var response = await _client.SendAsync(request, either.Token);
            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            return await SearchAsync(body, rest, either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    /// <summary>Lines of the other 35 digits, a colon, and how often the password was seen: zero for padding.</summary>
    private static async Task<bool> SearchAsync(Stream body, string rest, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxAnswerBytes];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        foreach (var line in Encoding.ASCII.GetString(bytes, 0, length).AsSpan().EnumerateLines())
        {
            if (line.StartsWith(rest, StringComparison.OrdinalIgnoreCase) && line.Length > rest.Length && line[rest.Length] == ':')
            {
                return line[(rest.Length + 1)..].Trim() is not "0";
            }
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The service of leaked passwords could not be asked, and the password was taken: {Kind}.")]
        public static partial void Unavailable(ILogger logger, string kind);
    }
}
