using System.Text.Json;

namespace Lintel.Features.Beams.Reports;

/// <summary>Which files a batch makes when it is complete, as <c>outputs</c> of its input names them.</summary>
[Flags]
internal enum BatchOutputs
{
    None = 0,

    /// <summary>A table of the results.</summary>
    Csv = 1,

    /// <summary>The calculation report, a page to read and to print.</summary>
    Html = 2,
}

internal static class BatchOutputsExtensions
{
    /// <summary>Finds the outputs, and the file whose beams are the batch's, in the input of a batch.</summary>
    /// <param name="input">Any JSON; without <c>outputs</c> and <c>file_id</c>, as in an array of beams, there are none.</param>
    /// <param name="problem">What is wrong; null where nothing is.</param>
    public static (BatchOutputs Outputs, JsonElement? FileId) FindIn(ReadOnlySpan<byte> input, out (string Field, string Message)? problem)
    {
        problem = null;
        var outputs = BatchOutputs.None;
        JsonElement? file = null;
        var reader = new Utf8JsonReader(input);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return default;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isOutputs = reader.ValueTextEquals("outputs"u8);
                var isFile = reader.ValueTextEquals("file_id"u8);
                reader.Read();
                if (isOutputs)
                {
                    outputs = Read(JsonElement.ParseValue(ref reader), ref problem);
                }
                else if (isFile)
                {
                    file = JsonElement.ParseValue(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (JsonException)
        {
            // Whoever looks for the beams says where.
        }

        return (outputs, file);
    }

    private static BatchOutputs Read(JsonElement given, ref (string Field, string Message)? problem)
    {
        var outputs = BatchOutputs.None;
        if (given.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
        {
            problem = ("outputs", "Must be a list of csv and html.");
            return outputs;
        }

        foreach (var item in given.ValueKind == JsonValueKind.Array ? given.EnumerateArray() : default)
        {
            switch (item.ValueKind == JsonValueKind.String ? item.GetString() : null)
            {
                case "csv":
                    outputs |= BatchOutputs.Csv;
                    break;
                case "html":
                    outputs |= BatchOutputs.Html;
                    break;
                default:
                    problem = ("outputs", "Must be a list of csv and html.");
                    break;
            }
        }

        return outputs;
    }
}
