namespace Lintel.Features.Accounts.Guessing;

/// <summary>What is guessed at. Kinds share no counter: whoever has used up the tries of one has all of the others.</summary>
internal enum GuessKind
{
    Password = 1,

    /// <summary>A code that was mailed.</summary>
    Code = 2,

    SecondFactor = 3,
}

/// <param name="RetryAfter">When the next try will be let in, where this one was not.</param>
internal readonly record struct GuessResult(bool IsAdmitted, TimeSpan RetryAfter = default)
{
    public static readonly GuessResult Admitted = new(true);
}
