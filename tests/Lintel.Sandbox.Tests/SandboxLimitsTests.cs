namespace Lintel.Sandbox;

public sealed class SandboxLimitsTests
{
    [Fact]
    public void The_hosts_maximum_always_applies()
    {
        var wishes = new SandboxLimits
        {
            Wall = TimeSpan.MaxValue,
            Cpu = TimeSpan.FromDays(1),
            MemoryBytes = long.MaxValue,
            Processes = int.MaxValue,
            OpenFiles = int.MaxValue,
            FileBytes = long.MaxValue,
            WorkBytes = long.MaxValue,
            SharedMemoryBytes = long.MaxValue,
            OutputBytes = long.MaxValue,
        };
        Assert.Equal(SandboxLimits.Maximum, wishes.Within(SandboxLimits.Maximum));

        var most = SandboxLimits.Maximum with { Idle = TimeSpan.FromSeconds(5), AddressSpaceBytes = 1L << 30 };
        Assert.Equal(most, wishes.Within(most));
        Assert.Equal(TimeSpan.FromSeconds(2), (wishes with { Idle = TimeSpan.FromSeconds(2) }).Within(most).Idle);
    }

    [Fact]
    public void What_cannot_be_kept_is_refused()
    {
        SandboxLimits usual = new();
        SandboxLimits[] tooSmall =
        [
            usual with { Wall = TimeSpan.Zero },
            usual with { Wall = TimeSpan.FromSeconds(-1) },
            usual with { Cpu = TimeSpan.FromMilliseconds(1) },
            usual with { Idle = TimeSpan.Zero },
            usual with { MemoryBytes = 0 },
            usual with { MemoryBytes = -1 },
            usual with { AddressSpaceBytes = 1 },
            usual with { Processes = 1 },
            usual with { OpenFiles = 3 },
            usual with { FileBytes = 0 },
            usual with { WorkBytes = 0 },
            usual with { SharedMemoryBytes = 0 },
            usual with { OutputBytes = 0 },
        ];

        Assert.All(tooSmall, limits => Assert.Throws<ArgumentOutOfRangeException>(() => limits.Within(SandboxLimits.Maximum)));
    }
}
