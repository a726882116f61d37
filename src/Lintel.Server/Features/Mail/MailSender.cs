using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Security.Authentication;
using System.Text;
using Lintel.Platform.Breakers;

namespace Lintel.Features.Mail;

/// <summary>What became of a message: sent, where both are null.</summary>
/// <param name="Refusal">Why it will never be taken.</param>
/// <param name="Trouble">Why it could not be sent now.</param>
internal readonly record struct MailResult(string? Refusal = null, string? Trouble = null);

/// <summary>Opens the way that mail takes, as the settings have it.</summary>
internal sealed class MailSender
{
    public const string BreakerName = "mail";

    private readonly MailOptions _options;
    private readonly Breaker _breaker;
    private readonly TimeProvider _time;

    public MailSender(MailOptions options, Breakers breakers, TimeProvider time)
    {
        _options = options;
        _time = time;
        _breaker = breakers[BreakerName];
    }

    /// <summary>False while the mail server does not work.</summary>
    public bool Works => _breaker.IsClosed;

    /// <summary>A connection for a few messages, made with the first.</summary>
    public MailConnection Open() => new(_options, _breaker, _time);
}

/// <summary>
/// Hands messages over, by way of the framework's SMTP client. It knows STARTTLS, AUTH LOGIN, NTLM and GSSAPI, and SMTPUTF8; it does not know TLS from the first byte
/// (port 465) and AUTH PLAIN.
/// </summary>
internal sealed class MailConnection(MailOptions options, Breaker breaker, TimeProvider time) : IAsyncDisposable
{
    private SmtpClient? _client;
    private string? _temporary;

    public async ValueTask<MailResult> SendAsync(WaitingMail mail, MailText text, CancellationToken cancellationToken)
    {
        // The address alone: text such as "Name <address>" or "a@b, c@d" is nobody's address.
        if (!MailAddress.TryCreate(mail.Recipient, out var recipient) || recipient.Address != mail.Recipient)
        {
            return new(Refusal: "The recipient is not an e-mail address.");
        }

        using var message = Compose(mail, recipient, text);
        try
        {
            await breaker.RunAsync(token => options.Delivery == MailDelivery.Smtp ? SendAsync(message, token) : WriteAsync(mail.Id, message, token), cancellationToken);
            return default;
        }
        catch (BreakerOpenException failure)
        {
            return new(Trouble: failure.Message);
        }
        catch (Exception failure) when (SmtpReplies.IsRefusal(failure))
        {
            return new(Refusal: SmtpReplies.Describe(failure));
        }
        catch (Exception failure) when (failure is SmtpException or IOException or TimeoutException or UnauthorizedAccessException or AuthenticationException)
        {
            // The connection may be in the middle of anything.
            Drop();
            return new(Trouble: options.Delivery == MailDelivery.Smtp ? SmtpReplies.Describe(failure) : "The pickup folder cannot be written to.");
        }
    }

    public ValueTask DisposeAsync()
    {
        Drop();
        return ValueTask.CompletedTask;
    }

    private void Drop()
    {
        _client?.Dispose();
        _client = null;
        if (_temporary is { } folder)
        {
            _temporary = null;
            Directory.Delete(folder, recursive: true);
        }
    }

    private async ValueTask SendAsync(MailMessage message, CancellationToken cancellationToken)
    {
        _client ??= new SmtpClient(options.Host, options.Port)
        {
            EnableSsl = options.UseTls,
            UseDefaultCredentials = false,
            Credentials = options.User is { } user ? new NetworkCredential(user, options.Password) : null,
        };
        _client.DeliveryFormat = IsAscii(message.To[0].Address) && IsAscii(message.From!.Address) ? SmtpDeliveryFormat.SevenBit : SmtpDeliveryFormat.International;
        using var late = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            // Not only by its own token: a server that says nothing must not be able to hold the job.
            await _client.SendMailAsync(message, either.Token).WaitAsync(either.Token);
        }
        catch (Exception) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            Drop();
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Writes the message beside the folder first: whoever collects files from it finds whole ones only, and one a message however often it was tried.</summary>
    private async ValueTask WriteAsync(Guid id, MailMessage message, CancellationToken cancellationToken)
    {
        // A folder for this connection: what a message that failed left in it goes with the next one.
        var temporary = _temporary ??= Directory.CreateDirectory(Path.Combine(options.PickupFolder, ".tmp", id.ToString())).FullName;
        using var writer = new SmtpClient
        {
            DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory,
            PickupDirectoryLocation = temporary,
            DeliveryFormat = IsAscii(message.To[0].Address) ? SmtpDeliveryFormat.SevenBit : SmtpDeliveryFormat.International,
        };
        await writer.SendMailAsync(message, cancellationToken);
        File.Move(Directory.GetFiles(temporary)[0], Path.Combine(options.PickupFolder, id + ".eml"), overwrite: true);
    }

    private MailMessage Compose(WaitingMail mail, MailAddress recipient, MailText text)
    {
        var message = new MailMessage(options.From, recipient) { Subject = text.Subject, SubjectEncoding = Encoding.UTF8, HeadersEncoding = Encoding.UTF8 };
        message.AlternateViews.Add(View(text.Text, MediaTypeNames.Text.Plain));
        message.AlternateViews.Add(View(text.Html, MediaTypeNames.Text.Html));
        message.Headers["Message-ID"] = $"<{mail.Id}@{options.From.Host}>";
        message.Headers["Date"] = mail.CreatedAt.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture) + " +0000";

        // Out-of-office replies to a program help nobody.
        message.Headers["Auto-Submitted"] = "auto-generated";
        return message;
    }

    private static AlternateView View(string content, string type)
    {
        var view = AlternateView.CreateAlternateViewFromString(content, Encoding.UTF8, type);

        // Lines of any length and letters of any script, and no line that a server on the way could take for its own.
        view.TransferEncoding = TransferEncoding.Base64;
        return view;
    }

    private static bool IsAscii(string text) => Ascii.IsValid(text);
}

/// <summary>What a mail server's answers mean.</summary>
internal static class SmtpReplies
{
    private const int ExceededStorage = (int)SmtpStatusCode.ExceededStorageAllocation;

    /// <summary>True where the server works and will never take this message: an unknown recipient, a message that is too large.</summary>
    public static bool IsRefusal(Exception failure) => failure switch
    {
        SmtpFailedRecipientException { StatusCode: var status } => (int)status >= 500,
        SmtpException { StatusCode: var status } => (int)status == ExceededStorage,
        _ => false,
    };

    /// <summary>For the owner of the message: what happened, without what a server far away wrote.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        SmtpFailedRecipientException { StatusCode: var status } => $"The mail server refused the recipient ({(int)status}).",
        SmtpException { StatusCode: SmtpStatusCode.MustIssueStartTlsFirst } => "The mail server did not accept the user and the password of this server, or wants some.",
        SmtpException { StatusCode: not SmtpStatusCode.GeneralFailure and var status } => $"The mail server refused the message ({(int)status}).",
        AuthenticationException or { InnerException: AuthenticationException } => "The mail server's certificate is not valid.",
        TimeoutException => "The mail server did not answer in time.",
        _ => "The mail server cannot be reached.",
    };
}
