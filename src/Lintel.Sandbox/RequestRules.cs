namespace Lintel.Sandbox;

/// <summary>What a request must be before anything is done for it.</summary>
internal static class RequestRules
{
    private const int MaxFiles = 200;
    private const long MaxFileBytes = 128L << 20;
    private const int MaxCommandBytes = 100_000;

    // Set from files of the host's own, these would say which program is loaded into what.
    private static readonly string[] s_fixedVariables = ["PATH", "HOME", "USER"];

    /// <exception cref="ArgumentException">It cannot be carried out as it is.</exception>
    public static void Check(SandboxRequest request)
    {
        Require(request, request.Command.Count > 0 && request.Command[0].Length > 0, "There is no command to run.");
        Require(request, request.Command.All(part => !part.Contains('\0')), "An argument contains a NUL character, which no program can be given.");
        Require(request, request.Command.Sum(part => part.Length) <= MaxCommandBytes, $"The arguments are longer than {MaxCommandBytes} characters in all.");

        Require(request, request.Files.Count <= MaxFiles, $"More than {MaxFiles} files.");
        Require(request, request.Files.Sum(file => file.Length) <= MaxFileBytes, $"The files are larger than {MaxFileBytes >> 20} MB in all.");
        Require(request, request.Files.DistinctBy(file => (file.Folder, file.Name)).Count() == request.Files.Count, "Two files have the same name.");
        Require(request, request.Input.Length <= 1 << 24, "The input is larger than 16 MB.");

        Require(request, request.Mounts.All(path => path.StartsWith('/') && !path.Contains('\0')), "A mount must be an absolute path.");

        foreach (var (name, value) in request.Environment)
        {
            Require(
                request,
                name.Length > 0 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_') && !char.IsAsciiDigit(name[0]),
                $"'{name}' is no name for a variable.");
            Require(request, !value.Contains('\0'), $"The variable {name} contains a NUL character.");
            Require(request, !s_fixedVariables.Contains(name), $"The variable {name} is the sandbox's own.");
        }
    }

    private static void Require(SandboxRequest request, bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message, nameof(request));
        }
    }
}
