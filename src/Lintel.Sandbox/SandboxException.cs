namespace Lintel.Sandbox;

/// <summary>A program could not be run, through no fault of its own.</summary>
public class SandboxException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>This machine cannot run untrusted programs; the message says what to install or enable.</summary>
public sealed class SandboxUnavailableException(string message, Exception? cause = null) : SandboxException(message, cause);
