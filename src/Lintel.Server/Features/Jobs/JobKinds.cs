namespace Lintel.Features.Jobs;

/// <summary>The kinds of jobs that this server knows.</summary>
internal sealed class JobKinds(IEnumerable<JobKind> kinds)
{
    private readonly Dictionary<string, JobKind> _kinds = kinds.ToDictionary(static kind => kind.Name, StringComparer.Ordinal);

    public IReadOnlyCollection<JobKind> All => _kinds.Values;

    public JobKind? Find(string name) => _kinds.GetValueOrDefault(name);

    public bool Contains(string name) => _kinds.ContainsKey(name);
}
