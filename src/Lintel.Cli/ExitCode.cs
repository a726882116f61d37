namespace Lintel.Cli;

/// <summary>
/// How <c>lintel</c> itself ends, in the numbers of <c>sysexits.h</c>. A program that was run ends it with the program's own code, and the limits with those that shells know.
/// </summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>All went well, and the answer is no: a beam is not safe, a job failed.</summary>
    public const int No = 1;

    public const int Usage = 64;
    public const int BadData = 65;
    public const int NoInput = 66;
    public const int Unavailable = 69;
    public const int Software = 70;
    public const int Input = 74;
    public const int TryAgain = 75;
    public const int Protocol = 76;
    public const int NotAllowed = 77;
    public const int Configuration = 78;

    /// <summary>As <c>timeout</c> has it.</summary>
    public const int TimeLimit = 124;

    /// <summary>As a shell shows a program that the kernel ended for its memory.</summary>
    public const int MemoryLimit = 128 + 9;

    /// <summary>As a shell shows a program that wrote more than it may.</summary>
    public const int OutputLimit = 128 + 25;

    public const int Interrupted = 128 + 2;
    public const int BrokenPipe = 128 + 13;
}
