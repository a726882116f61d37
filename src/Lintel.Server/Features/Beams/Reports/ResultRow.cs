using System.Globalization;
using System.Text.Json;

namespace Lintel.Features.Beams.Reports;

/// <summary>A beam of a batch and what became of it, as its event has it.</summary>
internal readonly struct ResultRow(JsonElement result)
{
    public string Id => result.GetProperty("beam_id") is { ValueKind: JsonValueKind.String } text ? text.GetString()! : result.GetProperty("beam_id").GetRawText();

    /// <summary>PASS, FAIL, or REFUSED for a beam that was not designed.</summary>
    public string Status => IsDesigned ? result.GetProperty("status").GetString()! : "REFUSED";

    public bool IsDesigned => result.TryGetProperty("flexure", out _);

    public double Utilization => IsDesigned ? result.GetProperty("utilization_ratio").GetDouble() : 0;

    /// <summary>What fails, what to look at, or what is wrong with the beam.</summary>
    public string Remarks
    {
        get
        {
            if (!IsDesigned)
            {
                return result.GetProperty("message").GetString()!;
            }

            var remarks = result.GetProperty("failed_checks").EnumerateArray();
            return string.Join("; ", result.TryGetProperty("warnings", out var warnings) ? remarks.Concat(warnings.EnumerateArray()) : remarks);
        }
    }

    /// <summary>A number that the beam was sent with; empty where it had none.</summary>
    public string Input(string name) =>
        result.TryGetProperty("input", out var input) && input.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number or JsonValueKind.String ? value.ToString() : "";

    /// <summary>A number of the design; empty for a beam that was not designed.</summary>
    /// <param name="part"><c>flexure</c> or <c>shear</c>.</param>
    /// <param name="format">How many places it has.</param>
    public string Number(string part, string name, string format) =>
        IsDesigned ? result.GetProperty(part).GetProperty(name).GetDouble().ToString(format, CultureInfo.InvariantCulture) : "";
}
