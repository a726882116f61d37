using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lintel.Cli.Beams;

/// <summary>Beams from a file, as the JSON that the server takes. What a beam may be is the server's to say; here it is only about the file.</summary>
internal sealed record BeamFile(JsonElement Beams, int Count, IReadOnlyList<string> Warnings)
{
    private static readonly string[] Names = ["id", "beam_id", "member_id"];

    /// <summary>Left out, these have values of the server's own, which are hardly what a table without them means.</summary>
    private static readonly string[] Expected = ["width", "depth", "moment", "shear", "fck", "fy", "cover"];

    private static readonly string[] Known =
        [.. Names, .. Expected, "stirrup_dia_mm", "main_bar_dia_mm", "effective_depth", "asv", "dd", "flange_width", "flange_depth"];

    /// <exception cref="CommandException">It cannot be read, or has no beams.</exception>
    public static async Task<BeamFile> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var text = await ReadTextAsync(path, cancellationToken);
        var isJson = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            || (!path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && text.AsSpan().TrimStart() is ['[' or '{', ..]);
        try
        {
            return isJson ? FromJson(text, path) : FromCsv(text, path);
        }
        catch (JsonException wrong)
        {
            throw new CommandException(ExitCode.BadData, $"{path} is not JSON: {wrong.Message}");
        }
        catch (FormatException wrong)
        {
            throw new CommandException(ExitCode.BadData, $"{path}, {wrong.Message}.");
        }
    }

    public static async Task<string> ReadTextAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path == "-" ? "/dev/stdin" : path, new UTF8Encoding(false, throwOnInvalidBytes: true), cancellationToken);
        }
        catch (DecoderFallbackException)
        {
            throw new CommandException(ExitCode.BadData, $"{path} is not text in UTF-8; save it as that.");
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.NoInput, $"There is no file {path}.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NoInput, $"{path} cannot be read: {failure.Message}", inner: failure);
        }
    }

    private static BeamFile FromJson(string text, string path)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        var beams = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("beams", out var inner) ? inner : root;
        if (beams.ValueKind != JsonValueKind.Array || beams.GetArrayLength() == 0)
        {
            throw new CommandException(ExitCode.BadData, $"{path} has no beams: it must be an array of them, or an object that has one as `beams`.");
        }

        return new BeamFile(beams.Clone(), beams.GetArrayLength(), []);
    }

    private static BeamFile FromCsv(string text, string path)
    {
        var reader = new CsvReader(text.TrimStart('\uFEFF'));
        var header = reader.Read() ?? throw new CommandException(ExitCode.BadData, $"{path} is empty; its first line names the columns, such as id,width,depth,moment,shear,fck,fy,cover.");
        if (header.GroupBy(static name => name, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } twice)
        {
            throw new FormatException($"line {reader.Line}: there are two columns named '{twice.Key}'");
        }

        using var json = new MemoryStream();
        var count = 0;
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartArray();
            while (reader.Read() is { } record)
            {
                if (record.Count != header.Count)
                {
                    throw new FormatException(string.Create(
                        CultureInfo.InvariantCulture, $"line {reader.Line}: there are {record.Count} fields where the first line names {header.Count} columns"));
                }

                Write(writer, header, record);
                count++;
            }

            writer.WriteEndArray();
        }

        if (count == 0)
        {
            throw new CommandException(ExitCode.BadData, $"{path} has no beams: there is nothing below its first line.");
        }

        using var document = JsonDocument.Parse(json.GetBuffer().AsMemory(0, (int)json.Length));
        return new BeamFile(document.RootElement.Clone(), count, [.. Check(header)]);
    }

    private static void Write(Utf8JsonWriter writer, List<string> header, List<string> record)
    {
        writer.WriteStartObject();
        for (var i = 0; i < header.Count; i++)
        {
            if (record[i].Length == 0)
            {
                // A field that this beam does not have.
                continue;
            }

            if (!Names.Contains(header[i]) && double.TryParse(record[i], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                writer.WriteNumber(header[i], number);
            }
            else
            {
                // Not a number where there should be one: the server says so of this beam, and designs the others.
                writer.WriteString(header[i], record[i]);
            }
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<string> Check(List<string> header)
    {
        foreach (var name in header.Except(Known))
        {
            yield return $"The column '{name}' means nothing to the server, and is only repeated in the results.";
        }

        foreach (var name in Expected.Except(header))
        {
            yield return $"There is no column '{name}', so every beam has the server's own value for it.";
        }
    }
}
