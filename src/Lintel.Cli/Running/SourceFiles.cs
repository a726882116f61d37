using System.Text;
using Lintel.Cli.Api;

namespace Lintel.Cli.Running;

/// <summary>Reads a program and what lies beside it.</summary>
internal static class SourceFiles
{
    /// <summary>Beyond this no server would take it.</summary>
    private const long Largest = 16 * 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly Dictionary<string, string> ByExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".py"] = "python",
        [".js"] = "javascript",
        [".mjs"] = "javascript",
        [".cjs"] = "javascript",
        [".ts"] = "typescript",
        [".mts"] = "typescript",
        [".c"] = "c",
        [".cpp"] = "cpp",
        [".cc"] = "cpp",
        [".cxx"] = "cpp",
        [".rs"] = "rust",
        [".go"] = "go",
        [".java"] = "java",
        [".cs"] = "csharp",
        [".sh"] = "bash",
        [".bash"] = "bash",
        [".rb"] = "ruby",
        [".php"] = "php",
        [".pl"] = "perl",
        [".lua"] = "lua",
        [".sql"] = "sql",
    };

    /// <summary>The language that a file's name tells.</summary>
    public static string LanguageOf(string path) => ByExtension.GetValueOrDefault(Path.GetExtension(path))
        ?? throw new CommandException(ExitCode.Usage, $"The name of {path} does not tell its language; say it with --language (`lintel languages` lists them).");

    public static string ReadProgram(string path)
    {
        try
        {
            return Strict.GetString(Read(path));
        }
        catch (DecoderFallbackException)
        {
            throw new CommandException(ExitCode.BadData, $"{path} is not text in UTF-8, so it is no program.");
        }
    }

    /// <summary>A file for the program: under its path from the program's folder if it lies in there, else under its own name.</summary>
    public static CodeFile ReadBeside(string path, string program)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(program))!;
        var name = Path.GetRelativePath(folder, Path.GetFullPath(path));
        if (name.StartsWith("..", StringComparison.Ordinal))
        {
            name = Path.GetFileName(path);
        }

        var content = Read(path);
        try
        {
            return new CodeFile(name, Strict.GetString(content), null);
        }
        catch (DecoderFallbackException)
        {
            return new CodeFile(name, Convert.ToBase64String(content), "base64");
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            // A pipe, as in `lintel run <(generate)`, has no length; whatever it is, it has an end.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (file.Read(buffer) is > 0 and var count)
            {
                content.Write(buffer, 0, count);
                if (content.Length > Largest)
                {
                    throw new CommandException(ExitCode.BadData, $"{path} is larger than {Largest / 1024 / 1024} MB, which is too much to send.");
                }
            }

            return content.ToArray();
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.NoInput, $"There is no file {path}.");
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            throw new CommandException(ExitCode.NoInput, $"{path} is a folder, not a file.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NoInput, $"{path} cannot be read: {failure.Message}", inner: failure);
        }
    }
}
