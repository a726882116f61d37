namespace Lintel.Is456;

/// <summary>Every input of a check that cannot be used, over the section and all its cases. Allocates nothing.</summary>
public readonly ref struct CheckProblems
{
    private readonly ReadOnlySpan<BeamActions> _cases;

    internal CheckProblems(BeamProblems section, ReadOnlySpan<BeamActions> cases)
    {
        Section = section;
        HasNoCases = cases.IsEmpty;
        FirstBadCase = -1;
        _cases = cases;

        for (var i = 0; i < cases.Length; i++)
        {
            if (Validation.Actions(cases[i]).Any)
            {
                FirstBadCase = i;
                break;
            }
        }
    }

    /// <summary>The bad fields of the section and of the options.</summary>
    public BeamProblems Section { get; }

    /// <summary>Whether there was no case to check.</summary>
    public bool HasNoCases { get; }

    /// <summary>Index of the first case with a bad field, or -1.</summary>
    public int FirstBadCase { get; }

    public bool Any => Section.Any || HasNoCases || FirstBadCase >= 0;

    /// <summary>The bad fields of the case at <paramref name="index"/>.</summary>
    public BeamProblems OfCase(int index) => Validation.Actions(_cases[index]);
}
