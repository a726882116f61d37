using Lintel.Features.Accounts.SecondFactors;
using Lintel.Platform.Errors;
using Lintel.Platform.Security;

namespace Lintel.Features.Administration;

/// <summary>What administrators must have shown before they do something that is hard to undo.</summary>
internal static class AdminProof
{
    /// <summary>What the description of such an operation says.</summary>
    public const string Wanted = StepUp.Wanted + " A key with the scope `admin` is not asked.";

    /// <summary>A person must have proved lately who they are; a key with the scope <c>admin</c> is a program's, which cannot.</summary>
    public static async Task<ErrorResult?> RequireAsync(Caller caller, StepUp stepUp, CancellationToken cancellationToken) =>
        caller.SessionId is null ? null : await stepUp.RequireAsync(caller, cancellationToken);
}
