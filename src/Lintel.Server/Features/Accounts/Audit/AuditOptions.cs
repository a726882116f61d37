using Lintel.Platform.Configuration;

namespace Lintel.Features.Accounts.Audit;

internal sealed record AuditOptions
{
    /// <summary>How long what happened to accounts is kept.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(365);

    public static AuditOptions Read(SettingsReader settings) => new() { Retention = TimeSpan.FromDays(settings.Number("AUDIT_RETENTION_DAYS", 365, 1, 36_500)) };
}
