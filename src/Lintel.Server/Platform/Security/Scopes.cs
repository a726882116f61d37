namespace Lintel.Platform.Security;

/// <summary>What a caller may do. Written in tokens and keys as lower-case words.</summary>
[Flags]
public enum Scopes
{
    None = 0,
    Design = 1,
    Execute = 2,
    Tasks = 4,
    Files = 8,
    Chat = 16,
    Admin = 32,

    /// <summary>Ask about tokens, and end their sessions: for other services, whose keys an administrator makes.</summary>
    Tokens = 64,

    /// <summary>What a person's own sign-in may do: everything but administration and the tokens of others.</summary>
    Person = Design | Execute | Tasks | Files | Chat,

    /// <summary>What the static machine key may do.</summary>
    StaticKey = Design | Execute,

    All = Person | Admin | Tokens,
}

internal static class ScopesExtensions
{
    private static readonly (Scopes Scope, string Name)[] Names =
    [
        (Scopes.Design, "design"),
        (Scopes.Execute, "execute"),
        (Scopes.Tasks, "tasks"),
        (Scopes.Files, "files"),
        (Scopes.Chat, "chat"),
        (Scopes.Admin, "admin"),
        (Scopes.Tokens, "tokens"),
    ];

    public static IEnumerable<string> ToNames(this Scopes scopes) =>
        Names.Where(entry => scopes.HasFlag(entry.Scope)).Select(entry => entry.Name);

    /// <summary>The scopes of a list of names; unknown names grant nothing.</summary>
    public static Scopes Parse(IEnumerable<string> names)
    {
        var scopes = Scopes.None;
        foreach (var name in names)
        {
            foreach (var entry in Names)
            {
                if (entry.Name == name)
                {
                    scopes |= entry.Scope;
                }
            }
        }

        return scopes;
    }
}
