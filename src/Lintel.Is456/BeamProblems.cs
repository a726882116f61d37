namespace Lintel.Is456;

/// <summary>One input that cannot be used.</summary>
/// <param name="Field">The input.</param>
/// <param name="Message">What it must be, a fixed sentence without the value.</param>
public readonly record struct BeamProblem(BeamField Field, string Message)
{
    /// <summary>The input's symbol, such as <c>fck</c>.</summary>
    public string Name => Field.Symbol();
}

/// <summary>Every input that cannot be used. Costs no allocation, neither when empty nor when enumerated.</summary>
/// <remarks>Two bits a field: the kind of its problem.</remarks>
public readonly record struct BeamProblems
{
    private readonly ulong _kinds;

    private BeamProblems(ulong kinds) => _kinds = kinds;

    private enum Kind
    {
        None,
        NotFinite,
        OutOfRange,
        Inconsistent,
    }

    /// <summary>Whether anything is wrong.</summary>
    public bool Any => _kinds != 0;

    /// <summary>Whether <paramref name="field"/> is among the bad ones.</summary>
    public bool Contains(BeamField field) => KindOf(field) != Kind.None;

    public static BeamProblems operator |(BeamProblems left, BeamProblems right) => new(left._kinds | right._kinds);

    public static BeamProblems BitwiseOr(BeamProblems left, BeamProblems right) => left | right;

    public Enumerator GetEnumerator() => new(this);

    /// <summary>The problems as one line of text; empty when there are none.</summary>
    public override string ToString()
    {
        var lines = new List<string>();

        foreach (var problem in this)
        {
            lines.Add($"{problem.Name} {problem.Message}");
        }

        return string.Join("; ", lines);
    }

    internal BeamProblems With(BeamField field, double value, bool inRange) => (double.IsFinite(value), inRange) switch
    {
        (false, _) => Add(field, Kind.NotFinite),
        (true, false) => Add(field, Kind.OutOfRange),
        _ => this,
    };

    /// <summary>Adds a field that disagrees with another one, unless it is bad in itself.</summary>
    internal BeamProblems WithInconsistent(BeamField field) => Contains(field) ? this : Add(field, Kind.Inconsistent);

    private BeamProblems Add(BeamField field, Kind kind) => new(_kinds | (ulong)kind << 2 * (int)field);

    private Kind KindOf(BeamField field) => (Kind)(_kinds >> 2 * (int)field & 3);

    private static string Message(BeamField field, Kind kind) => (kind, field) switch
    {
        (Kind.NotFinite, _) => "must be a finite number",
        (Kind.Inconsistent, BeamField.FlangeWidth) => "must not be less than the width of the web",
        (Kind.Inconsistent, _) => "must be less than the overall depth",
        (_, BeamField.ConcreteStrength) => "must be between 15 and 80 N/mm2",
        (_, BeamField.SteelStrength or BeamField.StirrupStrength) => "must be between 250 and 550 N/mm2",
        (_, BeamField.Moment or BeamField.Shear) => "is too large",
        (_, BeamField.ProvidedTensionSteel) => "must not be negative",
        (_, BeamField.StirrupArea) => "must be greater than 0 and at most 5000 mm2",
        (_, BeamField.Span or BeamField.TensionSteelFactor or BeamField.CompressionSteelFactor or BeamField.FlangeFactor) => "must be greater than 0",
        _ => "must be greater than 0 and at most 5000 mm",
    };

    /// <summary>Walks the problems in the order of <see cref="BeamField"/>.</summary>
    public struct Enumerator
    {
        private readonly BeamProblems _problems;
        private int _field;

        internal Enumerator(BeamProblems problems)
        {
            _problems = problems;
            _field = -1;
        }

        public readonly BeamProblem Current => new((BeamField)_field, Message((BeamField)_field, _problems.KindOf((BeamField)_field)));

        public bool MoveNext()
        {
            while (++_field <= (int)BeamField.FlangeFactor)
            {
                if (_problems.Contains((BeamField)_field))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
