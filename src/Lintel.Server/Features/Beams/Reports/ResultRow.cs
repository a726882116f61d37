using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lintel.Features.Beams.Reports;

/// <summary>A beam of a batch and what became of it, as its event has it.</summary>
internal readonly struct ResultRow
{
    private readonly JsonElement _result;

    public ResultRow(JsonElement result)
    {
        _result = result;
        if (result.TryGetProperty("flexure", out _))
        {
            Input = new DesignedBeamInput(JsonMarshal.GetRawUtf8Value(result.GetProperty("input")));
        }
    }

    public string Id => _result.GetProperty("beam_id") is { ValueKind: JsonValueKind.String } text ? text.GetString()! : _result.GetProperty("beam_id").GetRawText();

    /// <summary>The beam's position in the batch, from 0.</summary>
    public int Index => _result.GetProperty("index").GetInt32();

    /// <summary>What the beam was designed with; null for one that was not designed.</summary>
    public DesignedBeamInput? Input { get; }

    /// <summary>PASS, FAIL, or REFUSED for a beam that was not designed.</summary>
    public string Status => IsDesigned ? _result.GetProperty("status").GetString()! : "REFUSED";

    public bool IsDesigned => Input is not null;

    /// <summary>The larger utilization as clients see it: at most 2.</summary>
    public double UtilizationRatio => IsDesigned ? _result.GetProperty("utilization_ratio").GetDouble() : 0;

    /// <summary>The larger utilization, however large, and whose it is.</summary>
    public (double Value, string Check) Governing
    {
        get
        {
            if (!IsDesigned)
            {
                return default;
            }

            var utilizations = _result.GetProperty("utilizations");
            var (flexure, shear) = (utilizations.GetProperty("flexure").GetDouble(), utilizations.GetProperty("shear").GetDouble());
            return shear > flexure ? (shear, "shear") : (flexure, "flexure");
        }
    }

    /// <summary>What fails, what to look at, or what is wrong with the beam.</summary>
    public string Remarks
    {
        get
        {
            if (!IsDesigned)
            {
                return _result.GetProperty("message").GetString()!;
            }

            var remarks = _result.GetProperty("failed_checks").EnumerateArray();
            return string.Join("; ", _result.TryGetProperty("warnings", out var warnings) ? remarks.Concat(warnings.EnumerateArray()) : remarks);
        }
    }

    /// <summary>A number of the design, which there must be one of.</summary>
    /// <param name="part"><c>flexure</c> or <c>shear</c>.</param>
    public double Number(string part, string name) => _result.GetProperty(part).GetProperty(name).GetDouble();

    /// <summary>The same as text; empty for a beam that was not designed.</summary>
    /// <param name="format">How many places it has.</param>
    public string Text(string part, string name, string format) =>
        IsDesigned ? Number(part, name).ToString(format, CultureInfo.InvariantCulture) : "";
}
