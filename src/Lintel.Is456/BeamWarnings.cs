namespace Lintel.Is456;

/// <summary>What an engineer should look at although the design stands.</summary>
[Flags]
public enum BeamWarnings
{
    None = 0,

    /// <summary>fck is above 55 N/mm2, where the code says its parameters may not apply (Table 2, note).</summary>
    ConcreteAboveM55 = 1,

    /// <summary>The stirrups would be closer than 75 mm: more legs or a larger diameter are needed.</summary>
    StirrupsTooClose = 2,
}
