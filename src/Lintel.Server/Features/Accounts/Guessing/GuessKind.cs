namespace Lintel.Features.Accounts.Guessing;

/// <summary>What is guessed at. Kinds share no counter: whoever has used up the tries of one has all of the others.</summary>
internal enum GuessKind
{
    Password = 1,

    /// <summary>A code that was mailed.</summary>
    Code = 2,

    SecondFactor = 3,
}

/// <summary>A try that is counted while its check may begin.</summary>
/// <param name="First">Whether the check may begin.</param>
/// <param name="Counted">Complete when the count is durable. Nothing that the check finds may be told before, nor where this says that it was not admitted.</param>
internal readonly record struct BegunGuess(GuessResult First, Task<GuessResult> Counted);

/// <param name="RetryAfter">When the next try will be let in, where this one was not.</param>
/// <param name="Device">The device under which the try was counted, and under nothing else; null where it was counted as anybody's.</param>
internal readonly record struct GuessResult(bool IsAdmitted, TimeSpan RetryAfter = default, Guid? Device = null)
{
    public static readonly GuessResult Admitted = new(true);
}
