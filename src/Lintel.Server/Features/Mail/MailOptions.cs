using System.Net.Mail;
using Lintel.Platform.Configuration;

namespace Lintel.Features.Mail;

/// <summary>Where mail goes.</summary>
internal enum MailDelivery
{
    /// <summary>Files in a folder, for a person to look at or another program to send.</summary>
    Pickup,

    /// <summary>To a mail server.</summary>
    Smtp,

    /// <summary>Nowhere: none is written.</summary>
    Off,
}

internal sealed record MailOptions
{
    public MailDelivery Delivery { get; init; }

    public MailAddress From { get; init; } = new("lintel@localhost");

    /// <summary>The folder of <c>.eml</c> files.</summary>
    public required string PickupFolder { get; init; }

    public string Host { get; init; } = "";

    public int Port { get; init; } = 587;

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>STARTTLS is required: a server that does not offer it gets no mail and no password.</summary>
    public bool UseTls { get; init; } = true;

    /// <summary>How long handing over one message may take, connecting and all.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a message is tried before it is given up.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(2);

    /// <summary>How many messages are queued for one owner in an hour; more are left out.</summary>
    public int MaxPerOwnerPerHour { get; init; } = 20;

    public static MailOptions Read(SettingsReader settings)
    {
        var host = settings.Text("SMTP_HOST");
        var delivery = settings.Choice(
            "MAIL", host is null ? MailDelivery.Pickup : MailDelivery.Smtp, ("pickup", MailDelivery.Pickup), ("smtp", MailDelivery.Smtp), ("off", MailDelivery.Off));
        if (delivery == MailDelivery.Smtp && host is null)
        {
            settings.Refuse("SMTP_HOST", "must name the mail server, since MAIL is smtp");
        }

        if (!MailAddress.TryCreate(settings.Text("MAIL_FROM") ?? "lintel@localhost", out var from))
        {
            settings.Refuse("MAIL_FROM", "must be an e-mail address such as Lintel <lintel@example.com>");
        }

        var (user, password) = (settings.Text("SMTP_USER"), settings.Text("SMTP_PASSWORD"));
        if (user is null != password is null)
        {
            settings.Refuse("SMTP_USER", "and SMTP_PASSWORD must be given together");
        }

        var useTls = settings.Choice("SMTP_TLS", true, ("starttls", true), ("off", false));
        if (!useTls && user is not null)
        {
            settings.Refuse("SMTP_TLS", "must not be off where there is a password to send");
        }

        return new()
        {
            Delivery = delivery,
            From = from ?? new("lintel@localhost"),
            PickupFolder = Path.GetFullPath(settings.Text("MAIL_FOLDER") ?? Path.Combine(settings.DataFolder, "mail")),
            Host = host ?? "",
            Port = settings.Number("SMTP_PORT", 587, 1, 65535),
            User = user,
            Password = password,
            UseTls = useTls,
            Timeout = TimeSpan.FromSeconds(settings.Number("SMTP_TIMEOUT_SECONDS", 30, 1, 600)),
            MaxPerOwnerPerHour = settings.Number("MAIL_PER_OWNER_PER_HOUR", 20, 1, 1_000_000),
        };
    }
}
