using System.Text.Json;
using Lintel.Features.Jobs;
using Lintel.Platform.Security;

namespace Lintel.Features.Mail;

/// <summary>Sends one owner's waiting mail, oldest first.</summary>
internal sealed partial class MailJob(MailQueue queue, MailTemplates templates, MailSender sender, ILogger<MailJob> logger) : IJobHandler
{
    /// <summary>With these delays, about two days of attempts.</summary>
    public static readonly JobKind Kind = new("mail", Scopes.Tasks)
    {
        IsInternal = true,
        MaxAttempts = 200,
        RetryDelay = TimeSpan.FromSeconds(10),
        MaxRetryDelay = TimeSpan.FromMinutes(15),
        MaxConcurrent = 4,

        // Two at once would send what the other is just sending.
        MaxConcurrentPerOwner = 1,
        Events = [new("mail_sent", typeof(MailSent), IsLogged: true), new("mail_refused", typeof(MailRefused), IsLogged: true)],
    };

    public async Task<JobOutcome> RunAsync(JobContext job, CancellationToken cancellationToken)
    {
        await using var connection = sender.Open();

        // The removal of one message becomes durable while the next one is sent. A crash sends those two once more, under the same Message-ID.
        var removal = Task.CompletedTask;
        try
        {
            while (await queue.ReadAsync(job.OwnerId, cancellationToken) is { Count: > 0 } waiting)
            {
                foreach (var mail in waiting)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (templates.Find(mail.Template) is not { } template)
                    {
                        await RefuseAsync(job, mail, "This version of the server does not know this kind of message.");
                        continue;
                    }

                    if (mail.Fields is not { } fields)
                    {
                        await RefuseAsync(job, mail, "It was written under another SECRET_KEY and cannot be read.");
                        continue;
                    }

                    switch (await connection.SendAsync(mail, template.Render(fields), cancellationToken))
                    {
                        case { Refusal: { } refusal }:
                            await RefuseAsync(job, mail, refusal);
                            break;
                        case { Trouble: { } trouble }:
                            return JobOutcome.TryAgain(trouble);
                        default:
                            await removal;
                            removal = queue.RemoveAsync(mail.Id, CancellationToken.None);
                            await job.EmitAsync("mail_sent", JsonSerializer.SerializeToUtf8Bytes(new MailSent(mail.Id, mail.Template), MailJson.Default.MailSent));
                            break;
                    }
                }

                // What was sent must not be read again.
                await removal;
            }

            return JobOutcome.Complete();
        }
        finally
        {
            // Nor by another attempt, wherever it is made.
            await removal;
        }
    }

    private async Task RefuseAsync(JobContext job, WaitingMail mail, string reason)
    {
        Log.Refused(logger, mail.Id, job.OwnerId, reason);
        await queue.RemoveAsync(mail.Id, CancellationToken.None);
        await job.EmitAsync("mail_refused", JsonSerializer.SerializeToUtf8Bytes(new MailRefused(mail.Id, mail.Template, reason), MailJson.Default.MailRefused));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Message {MailId} to account {UserId} was refused and is not tried again: {Reason}")]
        public static partial void Refused(ILogger logger, Guid mailId, long userId, string reason);
    }
}
