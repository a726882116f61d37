namespace Lintel.Sandbox;

/// <summary>The signals that may be sent to a program, with their numbers.</summary>
public enum SandboxSignal
{
    Hangup = 1,
    Interrupt = 2,
    Quit = 3,
    User1 = 10,
    User2 = 12,
    Terminate = 15,
    Continue = 18,
    TerminalStop = 20,
}
