using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lintel.Platform.Errors;

/// <summary>Checks contracts by their data annotations and names every bad field as the client wrote it.</summary>
internal static class Validation
{
    // A hostile list of a million bad rows must not become an answer of a million messages.
    private const int MaxBadFields = 100;
    private const int MaxDepth = 16;

    private static readonly ConcurrentDictionary<Type, Member[]> Members = new();

    /// <summary>Null where <paramref name="model"/> is valid, else the 422 that lists all its bad fields. Annotations on a record's parameters count.</summary>
    public static ErrorResult? Check<T>(T? model)
        where T : class
    {
        if (model is null)
        {
            return ApiErrors.Invalid("body", "This field is required.");
        }

        Dictionary<string, string[]>? bad = null;
        CheckMembers(model, "", 0, ref bad);
        return bad is null ? null : ApiErrors.Invalid(bad);
    }

    private static void CheckMembers(object model, string prefix, int depth, ref Dictionary<string, string[]>? bad)
    {
        foreach (var member in Members.GetOrAdd(model.GetType(), static type => Describe(type)))
        {
            var value = member.Property.GetValue(model);
            var name = prefix + member.JsonName;
            List<string>? messages = null;
            foreach (var rule in member.Rules)
            {
                var context = new ValidationContext(model) { MemberName = member.Property.Name, DisplayName = member.JsonName };
                if (rule.GetValidationResult(value, context) is { } result)
                {
                    (messages ??= []).Add(result.ErrorMessage ?? "The value is not valid.");
                }
            }

            if (messages is not null)
            {
                Add(ref bad, name, messages);
            }

            if (bad?.Count >= MaxBadFields || depth >= MaxDepth)
            {
                return;
            }

            CheckInside(member, value, name, depth, ref bad);
        }

        if (model is IValidatableObject self)
        {
            foreach (var result in self.Validate(new ValidationContext(model)))
            {
                var field = result.MemberNames.FirstOrDefault() is { } memberName ? JsonNamingPolicy.SnakeCaseLower.ConvertName(memberName) : "body";
                Add(ref bad, prefix + field, [result.ErrorMessage ?? "The value is not valid."]);
            }
        }
    }

    private static void CheckInside(Member member, object? value, string name, int depth, ref Dictionary<string, string[]>? bad)
    {
        if (value is null || !member.HasInside)
        {
            return;
        }

        if (value is IEnumerable items)
        {
            var index = 0;
            foreach (var item in items)
            {
                if (item is not null && IsContract(item.GetType()))
                {
                    CheckMembers(item, string.Create(CultureInfo.InvariantCulture, $"{name}[{index}]."), depth + 1, ref bad);
                    if (bad?.Count >= MaxBadFields)
                    {
                        return;
                    }
                }

                index++;
            }
        }
        else if (IsContract(value.GetType()))
        {
            CheckMembers(value, name + ".", depth + 1, ref bad);
        }
    }

    private static void Add(ref Dictionary<string, string[]>? bad, string name, List<string> messages)
    {
        bad ??= new(StringComparer.Ordinal);
        bad[name] = bad.TryGetValue(name, out var earlier) ? [.. earlier, .. messages] : [.. messages];
    }

    private static Member[] Describe(Type type)
    {
        // A positional record keeps its annotations on the constructor's parameters.
        var parameters = type.GetConstructors()
            .OrderByDescending(static constructor => constructor.GetParameters().Length)
            .FirstOrDefault()?.GetParameters() ?? [];
        return
        [
            .. from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
               where property.CanRead && property.GetIndexParameters().Length == 0 && property.Name != "EqualityContract"
               let parameter = Array.Find(parameters, candidate => candidate.Name == property.Name)
               let rules = property.GetCustomAttributes<ValidationAttribute>()
                   .Concat(parameter?.GetCustomAttributes<ValidationAttribute>() ?? [])
                   .ToArray()
               let hasInside = HasInside(property.PropertyType)
               where rules.Length != 0 || hasInside
               select new Member(property, NameOf(property), rules, hasInside),
        ];
    }

    private static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    private static bool HasInside(Type type)
    {
        if (IsContract(type))
        {
            return true;
        }

        var element = type.IsArray ? type.GetElementType() : type.GetInterfaces().Append(type)
            .FirstOrDefault(static candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == typeof(IEnumerable<>))
            ?.GetGenericArguments()[0];
        return element is not null && IsContract(element);
    }

    // Only our own types are looked into: a JsonElement or a string has nothing to check inside.
    private static bool IsContract(Type type) =>
        !type.IsPrimitive && !type.IsEnum && type.Namespace?.StartsWith(nameof(Lintel), StringComparison.Ordinal) == true;

    private sealed record Member(PropertyInfo Property, string JsonName, ValidationAttribute[] Rules, bool HasInside);
}
