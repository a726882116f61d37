using System.CommandLine.Parsing;
using System.Globalization;

namespace Lintel.Cli.Commands;

/// <summary>Reads the values of arguments and options, and says in plain words what is wrong with one.</summary>
internal static class Values
{
    public static double? Number(ArgumentResult result) => Read<double>(result, "a number", static (string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value));

    public static int? Count(ArgumentResult result) => Read<int>(result, "a whole number from 1 on", static (string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0);

    public static Guid Id(ArgumentResult result) => Read<Guid>(result, "an id", Guid.TryParse) ?? default;

    private delegate bool TryRead<T>(string text, out T value);

    private static T? Read<T>(ArgumentResult result, string wanted, TryRead<T> tryRead)
        where T : struct
    {
        var text = result.Tokens[0].Value;
        if (tryRead(text, out var value))
        {
            return value;
        }

        var name = result.Parent is OptionResult { Option: var option } ? $" for {option.Name}" : "";
        result.AddError($"'{text}'{name} is not {wanted}");
        return null;
    }
}
