using System.Text.Json;
using Lintel.Platform.Json;

namespace Lintel.Features.Execution;

/// <summary>A program and the inputs of its runs, all checked.</summary>
/// <param name="Runs">The program with the input and arguments of each run.</param>
/// <param name="Input">The request as it came.</param>
internal sealed record ExecutionBatch(ExecutionRequest Program, IReadOnlyList<ExecutionRequest> Runs, byte[] Input)
{
    private const int MaxRuns = 100;

    /// <summary>Reads a request; null where something is wrong with it, and then all that is.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static ExecutionBatch? Read(ReadOnlyMemory<byte> json, ref FieldErrors errors)
    {
        var program = ExecutionRequest.Read(json, null, ref errors);
        using var document = JsonDocument.Parse(json);
        var reader = new ObjectReader(document.RootElement, "");
        if (!reader.IsObject)
        {
            return null;
        }

        if (program?.Terminal is not null)
        {
            errors.Add("terminal", "A batch has no terminal.");
        }

        var inputs = reader.Items("inputs", MaxRuns, ref errors);
        if (inputs.Count == 0 && !errors.Has("inputs"))
        {
            errors.Add("inputs", "This field is required: an array of 1 to 100 inputs.");
        }

        List<ExecutionRequest> runs = [];
        foreach (var input in inputs)
        {
            if (!input.IsObject)
            {
                errors.Add(input.Path, "Must be an object.");
                continue;
            }

            var stdin = input.Text("stdin", ref errors);
            var arguments = ExecutionRequest.ReadArguments(input, ref errors);
            var hasArguments = input.Has("args", ref errors);
            if (program is not null)
            {
                runs.Add(program with { Stdin = stdin ?? program.Stdin, Arguments = hasArguments ? arguments : program.Arguments });
            }
        }

        return errors.Any ? null : new ExecutionBatch(program!, runs, json.ToArray());
    }
}
