namespace Lintel.Platform.Configuration;

/// <summary>The server cannot start as it is configured. One sentence a setting, each naming it and saying what to do; no values of secrets.</summary>
internal sealed class InvalidSettingsException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>The exit code of a configuration error in sysexits.h, so that a supervisor need not restart in vain.</summary>
    public const int ExitCode = 78;

    public IReadOnlyList<string> Errors => errors;
}
