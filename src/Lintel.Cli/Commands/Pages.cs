using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;

namespace Lintel.Cli.Commands;

/// <summary>The server's lists: read page by page, and with <c>--json</c> passed on in its own words, one item a line.</summary>
internal static class Pages
{
    private const int LargestPage = 200;

    public static Option<bool> Json() => new("--json") { Description = "As the server says it, one JSON object a line." };

    /// <param name="name">What the list is called in the answer.</param>
    /// <param name="most">How many items at most.</param>
    /// <param name="filters">What the server is asked for besides; those without a value are left out.</param>
    public static async Task<List<JsonElement>> ReadAsync(
        ApiClient api, string path, string name, int most, CancellationToken cancellationToken, params (string Name, string? Value)[] filters)
    {
        var items = new List<JsonElement>();
        string? after = null;
        do
        {
            var parameters = filters.Append(("after", after)).Where(static filter => filter.Item2 is not null).Select(static filter => $"&{filter.Item1}={Uri.EscapeDataString(filter.Item2!)}");
            var limit = string.Create(CultureInfo.InvariantCulture, $"limit={Math.Min(LargestPage, most - items.Count)}");
            var page = await api.GetAsync($"{path}?{limit}{string.Concat(parameters)}", ApiJson.Default.JsonElement, cancellationToken);
            items.AddRange(Items(api, page, name));
            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (after is not null && items.Count < most);
        return items;
    }

    public static IEnumerable<JsonElement> Items(ApiClient api, JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : throw new CommandException(ExitCode.Protocol, $"{api.Address} gave an answer that is not Lintel's; check the server's address.");

    public static void Write(IEnumerable<JsonElement> items)
    {
        foreach (var item in items)
        {
            JsonLine.Write(item.GetRawText());
        }
    }
}
