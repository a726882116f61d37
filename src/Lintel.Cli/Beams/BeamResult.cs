using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;

namespace Lintel.Cli.Beams;

/// <summary>What became of one beam of a batch, as far as a table shows it.</summary>
internal sealed record BeamResult(int Index, string Id, string Status, double? Tension, double? Compression, double? Spacing, double? Utilization, string Remark)
{
    public static readonly string[] Columns = ["beam", "status", "Ast mm2", "Asc mm2", "stirrups mm", "utilization", "remark"];

    /// <summary>Those of the columns that are numbers.</summary>
    public static ReadOnlySpan<int> Numbers => [2, 3, 4, 5];

    /// <summary>What needs a look comes first.</summary>
    public int Rank => Status switch
    {
        "refused" => 0,
        "FAIL" => 1,
        _ => 2,
    };

    public static BeamResult Of(in ServerEvent item)
    {
        using var document = JsonDocument.Parse(item.Data);
        var root = document.RootElement;
        var index = root.GetProperty("index").GetInt32();
        var id = root.GetProperty("beam_id").GetString()!;
        if (item.Kind == "error")
        {
            return new(index, id, "refused", null, null, null, null, root.GetProperty("message").GetString()!);
        }

        var flexure = root.GetProperty("flexure");
        var remarks = Texts(root, "failed_checks").Concat(Texts(root, "warnings"));
        return new(
            index,
            id,
            root.GetProperty("status").GetString()!,
            flexure.GetProperty("ast_required").GetDouble(),
            flexure.GetProperty("asc_required").GetDouble(),
            root.GetProperty("shear").GetProperty("spacing").GetDouble(),
            root.GetProperty("utilization_ratio").GetDouble(),
            string.Join("; ", remarks));
    }

    public string[] Cells() => [Id, Status, Number(Tension, "0"), Number(Compression, "0"), Number(Spacing, "0"), Number(Utilization, "0.00"), Remark];

    private static string[] Texts(JsonElement root, string name) =>
        root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(static text => text.GetString()!)] : [];

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
