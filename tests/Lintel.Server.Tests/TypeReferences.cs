using System.Reflection;
using System.Reflection.Emit;

namespace Lintel;

/// <summary>Finds which types a compiled type mentions: in its signatures, in its attributes and in the code of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    public static IEnumerable<Type> Of(Type type) => Mentioned(type).SelectMany(Parts).Where(part => part != type).Distinct();

    private static IEnumerable<Type?> Mentioned(Type type)
    {
        yield return type.BaseType;

        foreach (var mentioned in type.GetInterfaces().Concat(type.GetCustomAttributesData().SelectMany(OfAttribute)))
        {
            yield return mentioned;
        }

        foreach (var mentioned in type.GetFields(Declared).Select(field => field.FieldType))
        {
            yield return mentioned;
        }

        foreach (var method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
        {
            foreach (var mentioned in OfSignature(method).Concat(OfCode(method)))
            {
                yield return mentioned;
            }
        }
    }

    private static IEnumerable<Type> OfAttribute(CustomAttributeData attribute) =>
        attribute.ConstructorArguments.Select(argument => argument.Value).OfType<Type>().Append(attribute.AttributeType);

    private static IEnumerable<Type> OfSignature(MethodBase method)
    {
        var types = method.GetParameters().Select(parameter => parameter.ParameterType)
            .Concat(method.GetCustomAttributesData().SelectMany(OfAttribute));
        return method is MethodInfo { ReturnType: var result } ? types.Append(result) : types;
    }

    private static IEnumerable<Type?> OfCode(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            yield break;
        }

        foreach (var local in body.LocalVariables)
        {
            yield return local.LocalType;
        }

        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            foreach (var mentioned in OfMember(Resolve(method, token)))
            {
                yield return mentioned;
            }
        }
    }

    private static MemberInfo? Resolve(MethodBase method, int token)
    {
        var ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMember(token, ofType, ofMethod);
    }

    private static IEnumerable<Type?> OfMember(MemberInfo? member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType, field.FieldType],
        MethodInfo { IsGenericMethod: true } call => [call.DeclaringType, call.ReturnType, .. call.GetGenericArguments()],
        MethodInfo call => [call.DeclaringType, call.ReturnType],
        _ => [member?.DeclaringType],
    };

    /// <summary>The metadata tokens among the operands of <paramref name="code"/>.</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        var position = 0;

        while (position < code.Length)
        {
            short value = code[position++];
            if (value == 0xFE)
            {
                value = (short)((0xFE << 8) | code[position++]);
            }

            var operand = OpCodesByValue[value].OperandType;
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                yield return BitConverter.ToInt32(code, position);
            }

            position += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, position)),
                _ => 4,
            };
        }
    }

    /// <summary>A constructed type, taken apart: <c>Task&lt;Job[]&gt;</c> mentions <c>Job</c>.</summary>
    private static IEnumerable<Type> Parts(Type? type)
    {
        if (type is null || type.IsGenericParameter)
        {
            return [];
        }

        if (type.HasElementType)
        {
            return Parts(type.GetElementType());
        }

        return type.IsConstructedGenericType
            ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition())
            : [type];
    }
}
