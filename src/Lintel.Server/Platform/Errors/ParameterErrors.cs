using System.Globalization;
using System.Reflection;
using Lintel.Platform.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Lintel.Platform.Errors;

/// <summary>
/// Tells which parameters of the query a request got wrong, where generated code does not: for optional ones it sets a bare 400.
/// </summary>
internal static class ParameterErrors
{
    /// <summary>The 422 that names them; null where the 400 has another cause.</summary>
    public static ErrorResult? Find(HttpContext context)
    {
        var errors = default(FieldErrors);
        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            var name = parameter.ParameterInfo.GetCustomAttribute<FromQueryAttribute>()?.Name ?? parameter.Name;
            if (parameter.HasTryParse
                && context.Request.Query.TryGetValue(name, out var sent)
                && !CanParse(parameter.ParameterInfo.ParameterType, sent.ToString()))
            {
                errors.Add(name, "The value is of the wrong type or out of range.");
            }
        }

        return errors.Any ? ApiErrors.Invalid(errors) : null;
    }

    private static bool CanParse(Type type, string text)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum)
        {
            return Enum.TryParse(plain, text, ignoreCase: false, out _);
        }

        var parse = plain.GetMethod("TryParse", [typeof(string), typeof(IFormatProvider), plain.MakeByRefType()]);
        return parse is null || parse.Invoke(null, [text, CultureInfo.InvariantCulture, null]) is true;
    }
}
