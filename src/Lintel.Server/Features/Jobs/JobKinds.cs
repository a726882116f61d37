using Lintel.Platform.Security;

namespace Lintel.Features.Jobs;

/// <summary>The kinds of jobs that this server knows.</summary>
internal sealed class JobKinds(IEnumerable<JobKind> kinds)
{
    private readonly Dictionary<string, JobKind> _kinds = kinds.ToDictionary(static kind => kind.Name, StringComparer.Ordinal);

    public IReadOnlyCollection<JobKind> All => _kinds.Values;

    public JobKind? Find(string name) => _kinds.GetValueOrDefault(name);

    public bool Contains(string name) => _kinds.ContainsKey(name);

    /// <summary>True where a caller may see and cancel jobs of a kind: what it could not submit is no business of its. Of a kind that is gone people still see theirs.</summary>
    public bool Admits(Caller caller, string name) => Find(name) is { } kind ? caller.Has(kind.Scope) : caller.SessionId is not null;

    /// <summary>The names of the kinds that a caller must not see.</summary>
    public string[] HiddenFrom(Caller caller) => [.. All.Where(kind => !caller.Has(kind.Scope)).Select(static kind => kind.Name)];
}
