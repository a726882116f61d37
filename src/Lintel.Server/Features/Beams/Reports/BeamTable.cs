using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lintel.Cli.Beams;

namespace Lintel.Features.Beams.Reports;

/// <summary>Beams from a CSV file, as the JSON that a batch takes. What a beam's numbers may be is told by its design; here it is only about the table.</summary>
internal static class BeamTable
{
    /// <summary>The longest table: more than a hundred thousand beams with all their columns.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Writes an array of beams. Its first line names the columns: <c>id</c>, <c>width</c>, <c>depth</c>, <c>moment</c>, <c>shear</c>, and whatever else a beam may have, but nothing that it may not.</summary>
    /// <returns>What is wrong with the table; null where nothing is.</returns>
    public static string? Write(ReadOnlyMemory<byte> csv, IBufferWriter<byte> output, int mostBytes)
    {
        try
        {
            var reader = new CsvReader(Strict.GetString(csv.Span).TrimStart('\uFEFF'));
            if (reader.Read() is not { } header)
            {
                return "The file is empty; its first line names the columns, such as id,width,depth,moment,shear,fck,fy,cover.";
            }

            if (BeamColumns.Check(header, reader.Line) is { } problem)
            {
                return problem;
            }

            using var json = new Utf8JsonWriter(output);
            json.WriteStartArray();
            while (reader.Read() is { } record)
            {
                if (record.Count != header.Count)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"Line {reader.Line} has {record.Count} fields where the first line names {header.Count} columns.");
                }

                WriteBeam(json, header, record);
                if (json.BytesCommitted + json.BytesPending > mostBytes)
                {
                    return "The table has too much for one batch; cut it in two.";
                }
            }

            json.WriteEndArray();
            return null;
        }
        catch (DecoderFallbackException)
        {
            return "The file is not text in UTF-8; save it as that.";
        }
        catch (FormatException wrong)
        {
            return char.ToUpperInvariant(wrong.Message[0]) + wrong.Message[1..] + ".";
        }
    }

    private static void WriteBeam(Utf8JsonWriter json, List<string> header, List<string> record)
    {
        json.WriteStartObject();
        for (var i = 0; i < header.Count; i++)
        {
            // An empty field is one that this beam does not have.
            if (record[i].Length == 0)
            {
                continue;
            }

            if (!BeamColumns.Identifiers.Contains(header[i]) && double.TryParse(record[i], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                json.WriteNumber(header[i], number);
            }
            else
            {
                // Not a number where there should be one: the design says so of this beam, and goes on with the others.
                json.WriteString(header[i], record[i]);
            }
        }

        json.WriteEndObject();
    }
}
