using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Lintel.Platform.Json;
using Lintel.Sandbox;
using Lintel.Sandbox.Languages;

namespace Lintel.Features.Execution;

/// <summary>A program that may be run as far as its request tells: every field was checked.</summary>
internal sealed record ExecutionRequest
{
    private const int MaxArguments = 100;
    private const int MaxArgumentCharacters = 64 * 1024;
    private const int MaxFiles = 50;
    private const int MaxTerminal = 1000;

    public required Language Language { get; init; }

    public required string Code { get; init; }

    public string Stdin { get; init; } = "";

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyList<(string Name, ReadOnlyMemory<byte> Content)> Files { get; private init; } = [];

    public RunLimits Limits { get; private init; } = new();

    public bool Detach { get; private init; }

    public TerminalSize? Terminal { get; private init; }

    /// <summary>Reads a request; null where something is wrong with it, and then all that is.</summary>
    /// <param name="terminal">What a request has that does not speak of one.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static ExecutionRequest? Read(ReadOnlyMemory<byte> json, TerminalSize? terminal, ref FieldErrors errors)
    {
        using var document = JsonDocument.Parse(json);
        var reader = new ObjectReader(document.RootElement, "");
        if (!reader.IsObject)
        {
            errors.Add("body", "Must be a JSON object.");
            return null;
        }

        var code = reader.Text("code", ref errors);
        var name = reader.Text("language", ref errors);
        if (string.IsNullOrEmpty(code) && !errors.Has("code"))
        {
            errors.Add("code", "This field is required: a text.");
        }

        var language = string.IsNullOrEmpty(name) ? null : Language.Find(name);
        if (language is null && !errors.Has("language"))
        {
            errors.Add("language", string.IsNullOrEmpty(name) ? "This field is required: a text." : Unsupported(name));
        }

        var stdin = reader.Text("stdin", ref errors) ?? "";
        var arguments = ReadArguments(reader, ref errors);
        var files = ReadFiles(reader, language, ref errors);
        var limits = ReadLimits(reader, ref errors);
        var detach = reader.Flag("detach", ref errors);
        var shape = ReadTerminal(reader, terminal, ref errors);
        return errors.Any
            ? null
            : new ExecutionRequest
            {
                Language = language!,
                Code = code!,
                Stdin = stdin,
                Arguments = arguments,
                Files = files,
                Limits = limits,
                Detach = detach,
                Terminal = shape,
            };
    }

    public static string Unsupported(string language) => $"Unsupported language: {(language.Length > 100 ? language[..100] + "…" : language)}";

    /// <summary>The request in its canonical form, without anything that is not the program's: credentials above all.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(
        new ExecuteCode
        {
            Code = Code,
            Language = Language.Id,
            Stdin = Stdin.Length == 0 ? null : Stdin,
            Args = Arguments.Count == 0 ? null : Arguments,
            Files = Files.Count == 0 ? null : [.. Files.Select(static file => new CodeFile(file.Name, Convert.ToBase64String(file.Content.Span), "base64"))],
            Limits = Limits,
            Detach = Detach,
            Terminal = Terminal is { } size ? new TerminalShape(size.Columns, size.Rows) : null,
        },
        ExecutionJson.Default.ExecuteCode);

    /// <summary>What it may use: what it asks for, else what the language has, and never more than the server allows.</summary>
    public SandboxLimits LimitsWithin(SandboxLimits standard, ExecutionOptions most)
    {
        // A person at a terminal thinks and types; only processor time tells that a program has run away.
        var wall = Limits.WallSeconds ?? (Terminal is null ? standard.Wall.TotalSeconds : most.MaxWallSeconds);
        var file = Math.Min((long)((Limits.FileMb ?? (standard.FileBytes >> 20)) * (1 << 20)), (long)most.MaxFileMb << 20);
        return standard with
        {
            Wall = TimeSpan.FromSeconds(Math.Min(wall, most.MaxWallSeconds)),
            Cpu = TimeSpan.FromSeconds(Math.Min(Limits.CpuSeconds ?? standard.Cpu.TotalSeconds, most.MaxCpuSeconds)),
            MemoryBytes = Math.Min((long)((Limits.MemoryMb ?? (standard.MemoryBytes >> 20)) * (1 << 20)), (long)most.MaxMemoryMb << 20),
            Processes = (int)Math.Min(Limits.Processes ?? standard.Processes, most.MaxProcesses),
            OutputBytes = Math.Min((long)((Limits.OutputKb ?? (standard.OutputBytes >> 10)) * 1024), (long)most.MaxOutputKb << 10),
            FileBytes = file,
            WorkBytes = Math.Max(standard.WorkBytes, file),
        };
    }

    /// <summary>The arguments in <c>args</c>; none where that is absent.</summary>
    public static List<string> ReadArguments(in ObjectReader reader, ref FieldErrors errors)
    {
        List<string> arguments = [];
        foreach (var item in reader.Items("args", MaxArguments, ref errors))
        {
            var text = item.Text(ref errors);
            if (text?.Contains('\0', StringComparison.Ordinal) == true)
            {
                errors.Add(item.Path, "Must not contain a NUL character.");
            }

            arguments.Add(text ?? "");
        }

        if (arguments.Sum(static argument => argument.Length) > MaxArgumentCharacters)
        {
            errors.Add("args", "Must not have more than 65536 characters in all.");
        }

        return arguments;
    }

    private static List<(string Name, ReadOnlyMemory<byte> Content)> ReadFiles(in ObjectReader reader, Language? language, ref FieldErrors errors)
    {
        List<(string Name, ReadOnlyMemory<byte> Content)> files = [];
        foreach (var item in reader.Items("files", MaxFiles, ref errors))
        {
            if (!item.IsObject)
            {
                errors.Add(item.Path, "Must be an object.");
                continue;
            }

            var name = item.Text("name", ref errors) ?? "";
            if (!errors.Has($"{item.Path}.name") && ProblemWithName(name, language, files) is { } problem)
            {
                errors.Add($"{item.Path}.name", problem);
            }

            files.Add((name, ReadContent(item, ref errors)));
        }

        return files;
    }

    private static string? ProblemWithName(string name, Language? language, List<(string Name, ReadOnlyMemory<byte> Content)> others)
    {
        if (!SandboxFile.IsValidName(name))
        {
            return "Must be a relative path of at most 200 characters, each part at most 255 bytes of UTF-8, without '..', empty parts or control characters.";
        }

        if (language is not null && (name == language.Source || name == language.Artifact || language.Support.ContainsKey(name)))
        {
            return $"Must not be {name}: the program itself has that name.";
        }

        return others.Any(other => other.Name == name || name.StartsWith(other.Name + "/", StringComparison.Ordinal) || other.Name.StartsWith(name + "/", StringComparison.Ordinal))
            ? "Must not be the name of another file or of its folder."
            : null;
    }

    private static byte[] ReadContent(in ObjectReader item, ref FieldErrors errors)
    {
        var encoding = item.Text("encoding", ref errors);
        var content = item.Text("content", ref errors);
        if (content is null)
        {
            if (!errors.Has($"{item.Path}.content"))
            {
                errors.Add($"{item.Path}.content", "This field is required: a text.");
            }

            return [];
        }

        switch (encoding)
        {
            case null or "utf8":
                return Encoding.UTF8.GetBytes(content);
            case "base64" when Base64.IsValid(content):
                return Convert.FromBase64String(content);
            case "base64":
                errors.Add($"{item.Path}.content", "Must be base64.");
                return [];
            default:
                errors.Add($"{item.Path}.encoding", "Must be one of: utf8, base64.");
                return [];
        }
    }

    private static RunLimits ReadLimits(in ObjectReader reader, ref FieldErrors errors) =>
        reader.Object("limits", ref errors) is not { } limits
            ? new RunLimits()
            : new RunLimits(
                limits.Number("wall_seconds", 0.1, ref errors),
                limits.Number("cpu_seconds", 0.1, ref errors),
                limits.Number("memory_mb", 16, ref errors),
                limits.Number("processes", 4, ref errors),
                limits.Number("output_kb", 1, ref errors),
                limits.Number("file_mb", 1, ref errors));

    private static TerminalSize? ReadTerminal(in ObjectReader reader, TerminalSize? standard, ref FieldErrors errors)
    {
        if (!reader.Has("terminal", ref errors))
        {
            return standard;
        }

        return reader.Object("terminal", ref errors) is { } terminal ? ReadSize(terminal, ref errors) : null;
    }

    /// <summary>A terminal's size, from an object that has <c>cols</c> and <c>rows</c>.</summary>
    public static TerminalSize ReadSize(in ObjectReader terminal, ref FieldErrors errors) =>
        new((ushort)terminal.Integer("cols", 1, MaxTerminal, ref errors), (ushort)terminal.Integer("rows", 1, MaxTerminal, ref errors));
}
