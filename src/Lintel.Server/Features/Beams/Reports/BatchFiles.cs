using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lintel.Features.Beams.Batches;
using Lintel.Features.Files;
using Lintel.Features.Jobs;
using Lintel.Platform.Security;

namespace Lintel.Features.Beams.Reports;

/// <summary>The files of batches: the table that their beams come from, and the tables and reports that they make.</summary>
internal sealed class BatchFiles(JobFiles files)
{
    // Rows are handed on in pieces of about this many characters.
    private const int Piece = 16 * 1024;

    /// <summary>Puts the beams of a file in the place of its id, so that a job needs nothing but its input, whatever becomes of the file.</summary>
    public async ValueTask<PreparedInput> PrepareAsync(ReadOnlyMemory<byte> input, Caller caller, CancellationToken cancellationToken)
    {
        var (outputs, file) = BatchOutputsExtensions.FindIn(input.Span, out var problem);
        if (problem is { } wrong)
        {
            return PreparedInput.Refuse(wrong.Field, wrong.Message);
        }

        if ((file is not null || outputs != BatchOutputs.None) && !caller.Has(Scopes.Files))
        {
            return PreparedInput.Forbid("Batches from files, and those that make files, need the scope files.");
        }

        if (file is not { } named)
        {
            return new(input);
        }

        if (named.ValueKind != JsonValueKind.String || !named.TryGetGuid(out var id))
        {
            return PreparedInput.Refuse("file_id", "Must be the id of a file.");
        }

        return await files.ReadAsync(
            id, caller.OwnerId, BeamTable.MaxBytes, csv => Compose(csv, outputs), static message => PreparedInput.Refuse("file_id", message), cancellationToken);
    }

    /// <summary>Makes the files that a batch was asked for. Done again after a crash, it finds those that are there.</summary>
    /// <returns>Each file, or why there is none.</returns>
    public async Task<List<(StoredFile? File, string? Problem)>> SaveAsync(JobContext job, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var (outputs, _) = BatchOutputsExtensions.FindIn(job.Input.Span, out _);
        List<(StoredFile?, string?)> saved = [];
        if (outputs.HasFlag(BatchOutputs.Csv))
        {
            saved.Add(await SaveAsync(job, "results.csv", "text/csv", WriteCsvAsync, cancellationToken));
        }

        if (outputs.HasFlag(BatchOutputs.Html))
        {
            saved.Add(await SaveAsync(job, "report.html", "text/html", (batch, output, token) => WriteReportAsync(job, at, batch, output, token), cancellationToken));
        }

        return saved;
    }

    private static PreparedInput Compose(ReadOnlyMemory<byte> csv, BatchOutputs outputs)
    {
        var output = new ArrayBufferWriter<byte>((csv.Length * 3) + 1024);
        output.Write("{\"outputs\":["u8);
        output.Write(outputs switch
        {
            BatchOutputs.Csv => "\"csv\""u8,
            BatchOutputs.Html => "\"html\""u8,
            BatchOutputs.Csv | BatchOutputs.Html => "\"csv\",\"html\""u8,
            _ => ""u8,
        });
        output.Write("],\"beams\":"u8);
        if (BeamTable.Write(csv, output, JobEndpoints.MaxBodyBytes) is { } problem)
        {
            return PreparedInput.Refuse("file_id", problem);
        }

        output.Write("}"u8);
        return new(output.WrittenMemory);
    }

    private async Task<(StoredFile? File, string? Problem)> SaveAsync(
        JobContext job, string name, string type, Func<BeamBatch, StreamWriter, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var result = await files.SaveAsync(
            new(IdOf(job.JobId, name), job.OwnerId, name, type),
            async (stream, token) =>
            {
                await using var output = new StreamWriter(stream, new UTF8Encoding(false), Piece, leaveOpen: true);
                await write(BeamBatch.Reopen(job.Input, (int)job.Total), output, token);
            },
            cancellationToken);
        return result.File is { } file
            ? (file, null)
            : (null, result.Refusal switch
            {
                UploadRefusal.OverQuota => $"{name}: there is no room left in your quota.",
                UploadRefusal.TooMany => $"{name}: you have as many files as one account may.",
                _ => $"{name}: it could not be stored.",
            });
    }

    private static async Task WriteCsvAsync(BeamBatch batch, StreamWriter output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(ResultCsv.Header.AsMemory(), cancellationToken);
        await WriteRowsAsync(batch, output, ResultCsv.Append, cancellationToken);
    }

    private static async Task WriteReportAsync(JobContext job, DateTimeOffset at, BeamBatch batch, StreamWriter output, CancellationToken cancellationToken)
    {
        // Several times over the beams rather than all of their results in memory: the sums, and what is not safe, stand at the head.
        var summary = Sum(job, at, cancellationToken);
        var text = new StringBuilder();
        ResultReport.Begin(text, summary);
        await output.WriteAsync(text, cancellationToken);
        if (summary.Failed + summary.Refused > 0)
        {
            await WriteRowsAsync(BeamBatch.Reopen(job.Input, (int)job.Total), output, ResultReport.AppendUnsafe, cancellationToken);
        }

        text.Clear();
        ResultReport.BeginTable(text, summary);
        await output.WriteAsync(text, cancellationToken);
        await WriteRowsAsync(batch, output, ResultReport.Append, cancellationToken);
        text.Clear();
        ResultReport.End(text);
        await output.WriteAsync(text, cancellationToken);
    }

    private static ResultSummary Sum(JobContext job, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var summary = new ResultSummary(job.JobId, at);
        var batch = BeamBatch.Reopen(job.Input, (int)job.Total);
        var row = new ArrayBufferWriter<byte>(1024);
        while (batch.TryWriteNext(row, out _))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var result = Parse(row);
            summary.Add(new(result.RootElement));
        }

        return summary;
    }

    private static async Task WriteRowsAsync(BeamBatch batch, StreamWriter output, Action<StringBuilder, ResultRow> append, CancellationToken cancellationToken)
    {
        var text = new StringBuilder(Piece + 1024);
        var row = new ArrayBufferWriter<byte>(1024);
        while (batch.TryWriteNext(row, out _))
        {
            using (var result = Parse(row))
            {
                append(text, new(result.RootElement));
            }

            if (text.Length >= Piece)
            {
                await output.WriteAsync(text, cancellationToken);
                text.Clear();
            }
        }

        await output.WriteAsync(text, cancellationToken);
    }

    private static JsonDocument Parse(ArrayBufferWriter<byte> row)
    {
        var reader = new Utf8JsonReader(row.WrittenSpan);
        var document = JsonDocument.ParseValue(ref reader);
        row.ResetWrittenCount();
        return document;
    }

    /// <summary>The same for every attempt at a job.</summary>
    private static Guid IdOf(Guid jobId, string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{jobId}/{name}"), hash);

        // Version 8: a UUID of its maker's own making.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
